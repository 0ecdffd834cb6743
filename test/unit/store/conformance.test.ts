// What every store must do, against those that need no server; the others are in test/e2e/store/conformance.test.ts.
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ADAPTER_NAMES } from "../../../src/store/open-store.ts";
import { describeStore } from "../../support/store-conformance.ts";
import { STORE_KINDS } from "../../support/store-places.ts";

test("every adapter's folder is opened by the settings, and stands up to these tests", () => {
  const entries = readdirSync(join(import.meta.dir, "../../../src/store"), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  expect<string[]>([...ADAPTER_NAMES].sort()).toEqual(folders.sort());
  const tested = new Set(STORE_KINDS.map(({ adapter }) => adapter));
  expect([...tested].sort()).toEqual([...ADAPTER_NAMES].sort());
});

for (const kind of STORE_KINDS.filter(({ isReal }) => !isReal)) describeStore(kind);
