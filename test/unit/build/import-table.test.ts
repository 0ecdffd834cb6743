import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "bun:test";
import { readImportTable } from "../../../build/import-table.ts";
import { withFolder } from "../../support/temporary-folder.ts";

function faultsOf(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  return withFolder(async (folder) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, "src", path)), { recursive: true });
      writeFileSync(join(folder, "src", path), text);
    }
    return (await readImportTable(folder)).faults;
  });
}

test("an import from a higher layer is a fault, a dynamic or type-only one too", async () => {
  for (const text of [
    'import { a } from "../agent/a.ts";',
    'import type { A } from "../agent/a.ts";',
    'const { a } = await import("../agent/a.ts");',
  ])
    expect(await faultsOf({ "host/b.ts": text, "agent/a.ts": "" })).toEqual([
      "host/b.ts imports agent/a.ts, against the order",
    ]);
});

test("roles do not import each other, and a wing not one that stands above it", async () => {
  expect(
    await faultsOf({
      "composer/a.ts": 'import "../agent/agent.ts";',
      "agent/agent.ts": 'import "./canary/b.ts";',
      "agent/canary/b.ts": 'import { c } from "../sweep/c.ts";',
      "agent/sweep/c.ts": 'import { d } from "../metrics/d.ts";',
      "agent/metrics/d.ts": "",
    }),
  ).toEqual([
    "agent/canary/b.ts imports agent/sweep/c.ts, against the order",
    "composer/a.ts imports agent/agent.ts, against the order",
  ]);
});

test("a folder that no table names is a fault as soon as it is imported", async () => {
  expect(await faultsOf({ "main.ts": 'import "./news/a.ts";', "news/a.ts": "" })).toEqual([
    "main.ts imports news/a.ts, against the order",
  ]);
});

test("a circle is a fault, of types too", async () => {
  expect(
    await faultsOf({
      "model/a.ts": 'import { b } from "./b.ts";',
      "model/b.ts": 'import type { A } from "./a.ts";',
    }),
  ).toEqual(["a circle: model/a.ts -> model/b.ts -> model/a.ts"]);
});
