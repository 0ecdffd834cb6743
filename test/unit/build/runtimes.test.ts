import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkIntegrity } from "../../../build/npm-package.ts";
import { provideRuntime, requireHash, RUNTIMES } from "../../../build/runtimes.ts";
import { hostTarget, TARGETS } from "../../../build/targets.ts";
import packageJson from "../../../package.json" with { type: "json" };
import { failureOf } from "../../support/failure.ts";
import { withFolder } from "../../support/temporary-folder.ts";

test("every executable's runtime is pinned, of the version that builds it", () => {
  expect(Object.keys(RUNTIMES).toSorted()).toEqual(TARGETS.map(({ name }) => name).toSorted());
  expect(packageJson.packageManager).toBe(`bun@${Bun.version}`);
});

test("the Bun that runs this is the pinned one of this machine, and needs no download", async () => {
  expect(await provideRuntime(hostTarget())).toBe(process.execPath);
});

test("a runtime with another hash is refused, and so is a package", () =>
  withFolder(async (folder) => {
    const path = join(folder, "bun");
    writeFileSync(path, "another");
    const { sha256 } = RUNTIMES["linux-x64-gnu"] ?? { sha256: "" };
    expect(await failureOf(requireHash(path, sha256))).toContain(`expected ${sha256}`);
    expect(await failureOf(requireHash(`${path}-2`, sha256))).toContain("it is not there");
    expect(() => checkIntegrity("x@1", Buffer.from("another"), "sha512-AAAA")).toThrow(
      "x@1 is not the one that was pinned: sha512-",
    );
  }));
