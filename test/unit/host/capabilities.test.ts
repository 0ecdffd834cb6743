import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { missingCapabilities } from "../../../src/host/capabilities.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const WANTED = ["CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_LEASE"] as const;
const CASES: [string, readonly string[]][] = [
  ["CapEff:\t000001ffffffffff", []],
  ["CapEff:\t000000001000000a", []],
  ["CapPrm:\t000001ffffffffff\nCapEff:\t0000000010000002", ["CAP_FOWNER"]],
  ["CapEff:\t0000000000000000", WANTED],
  ["", WANTED],
];
for (const [status, missing] of CASES)
  test(`${JSON.stringify(status)} lacks ${missing.length}`, () =>
    withFolder(async (folder) => {
      const path = join(folder, "status");
      await writeFile(path, `Name:\tx\n${status}\nSeccomp:\t0\n`);
      expect(missingCapabilities(WANTED, path)).toEqual([...missing] as never);
    }));
