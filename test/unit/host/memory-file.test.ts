// A program that is in no folder: it runs, and nobody but root may run it.
import { expect, test } from "bun:test";
import { existsSync, statSync } from "node:fs";
import { formatCanaryProgram } from "../../../src/model/canary-program.ts";
import { machineName } from "../../../src/host/machine.ts";
import { openMemoryProgram } from "../../../src/host/memory-file.ts";

test("a program in memory runs, is root's alone, and is gone when closed", async () => {
  const program = openMemoryProgram("test", formatCanaryProgram(machineName(), new Uint8Array(8)));
  const child = Bun.spawn([program.path], { stdio: ["ignore", "ignore", "ignore"] });
  expect(await child.exited).toBe(0);
  const found = statSync(program.path, { bigint: true });
  expect({ dev: found.dev, ino: found.ino }).toEqual({ dev: program.device, ino: program.inode });
  expect(found.mode & 0o7777n).toBe(0o700n);
  program.close();
  expect(existsSync(program.path)).toBe(false);
});
