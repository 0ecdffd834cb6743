// Every exported function and class in src/ has a doc comment right above it.
import { expect, test } from "bun:test";
import { Glob } from "bun";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const SRC = join(import.meta.dir, "../../../src");
const EXPORTED = /^export (?:async )?(?:abstract )?(?:function\*?|class) (\w+)/;

/** The exported functions and classes of a source whose preceding line does not end a doc comment. */
function undocumentedIn(source: string): string[] {
  const lines = source.split("\n");
  return lines.flatMap((line, index) => {
    const name = EXPORTED.exec(line)?.[1];
    return name === undefined || lines[index - 1]?.trimEnd().endsWith("*/") === true ? [] : [name];
  });
}

test("an exported function or class without a doc comment is found", () => {
  const source = [
    "/** Says what it does. */\nexport function documented() {}\n",
    "// no doc comment\nexport async function bare() {}\nexport class Bare {}\n",
  ].join("\n");
  expect(undocumentedIn(source)).toEqual(["bare", "Bare"]);
});

test("every exported function and class in src/ has a doc comment", () => {
  const sources = [...new Glob("**/*.ts").scanSync(SRC)];
  expect(sources.length).toBeGreaterThan(200);
  const undocumented = sources.flatMap((path) =>
    undocumentedIn(readFileSync(join(SRC, path), "utf8")).map((name) => `src/${path}: ${name}`),
  );
  expect(undocumented.sort()).toEqual([]);
});
