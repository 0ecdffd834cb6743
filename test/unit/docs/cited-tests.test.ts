// Every test that a document names as its proof is there, under the name that the document gives.
import { expect, test } from "bun:test";
import { Glob } from "bun";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../../..");
const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  "chart/README.md",
  ...new Glob("docs/**/*.md").scanSync(ROOT),
];

interface Citation {
  path: string;
  /** The test's own name, where the document gives one: `path`: “name”. */
  title: string | undefined;
}

function citationsIn(text: string): Citation[] {
  const cited = text.matchAll(/`(test\/[\w./-]+)`(?:[^`|“]*“([^”]+)”)?/g);
  return [...cited].map(([, path = "", title]) => ({ path, title }));
}

/** The rows of a table as their cells, heading and rule left out. */
function rowsUnder(heading: string): string[][] {
  const page = readFileSync(join(ROOT, "docs/security.md"), "utf8");
  const section = page.split(`\n## ${heading}\n`)[1]?.split(/\n## /)[0] ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

for (const document of DOCUMENTS)
  test(`the tests that ${document} names exist`, () => {
    for (const { path, title } of citationsIn(readFileSync(join(ROOT, document), "utf8"))) {
      expect({ path, exists: existsSync(join(ROOT, path)) }).toEqual({ path, exists: true });
      if (title !== undefined) expect(readFileSync(join(ROOT, path), "utf8")).toContain(title);
    }
  });

test("each row of what a tenant can do names the test that shows it", () => {
  const rows = rowsUnder("Which tenant can do what to whom");
  expect(rows.length).toBeGreaterThan(10);
  for (const cells of rows) {
    expect(cells).toHaveLength(3);
    expect({ row: cells[0], tests: citationsIn(cells[2] ?? "").length }).not.toMatchObject({
      tests: 0,
    });
  }
});
