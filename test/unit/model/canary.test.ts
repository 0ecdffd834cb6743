// The canary's names, and the program itself: run here, on its own machine's kernel.
import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { machineName } from "../../../src/host/machine.ts";
import { join } from "node:path";
import { canaryName, canaryZipBase, isCanaryName, isCanaryZip } from "../../../src/model/canary.ts";
import { formatCanaryProgram } from "../../../src/model/canary-program.ts";
import { kindOfCoreFile } from "../../../src/model/core-file.ts";
import { findProgram, gatedTest, missingProgram } from "../../support/gate.ts";
import { withFolder } from "../../support/temporary-folder.ts";

test("a canary's name survives the kernel's 15 characters", () => {
  const name = canaryName(crypto.getRandomValues(new Uint8Array(8)));
  expect(name.length).toBeLessThanOrEqual(15);
  expect(isCanaryName(name)).toBe(true);
});

test("its zip is no dump that a sweep would take", () => {
  const zip = `${canaryZipBase("cdh-0123456789a")}.zip`;
  expect(kindOfCoreFile(zip)).toBe("canary");
  expect(isCanaryZip(zip.slice(1))).toBe(false);
});

test.each(["bash", "cdh-0123456789", "cdh-0123456789ab", "cdh-0123456789g", "../cdh-0123456789a"])(
  "%p is no canary's name",
  (name) => expect(isCanaryName(name)).toBe(false),
);

async function runCanaryProgram(made: string, prefix: string[], input: string) {
  return withFolder(async (folder) => {
    const path = join(folder, "canary");
    writeFileSync(path, formatCanaryProgram(made, Buffer.from("marker")));
    chmodSync(path, 0o700);
    const child = Bun.spawn([...prefix, path], {
      stdin: Buffer.from(input),
      stdout: "ignore",
      stderr: "ignore",
      timeout: 20_000,
      killSignal: "SIGKILL",
    });
    await child.exited;
    return child.signalCode ?? child.exitCode;
  });
}

test("the program crashes when it is told to, and ends quietly when its doctor is gone", async () => {
  expect(await runCanaryProgram(machineName(), [], "\n")).toBe("SIGSEGV");
  expect(await runCanaryProgram(machineName(), [], "")).toBe(0);
});

gatedTest("so does arm64's", [missingProgram("qemu-aarch64-static")], async () => {
  const emulator = [findProgram("qemu-aarch64-static") ?? ""];
  expect(await runCanaryProgram("aarch64", emulator, "\n")).toBe("SIGSEGV");
  expect(await runCanaryProgram("aarch64", emulator, "")).toBe(0);
});

test("for a machine that we do not know there is none", () => {
  expect(() => formatCanaryProgram("riscv64", new Uint8Array(0))).toThrow("no canary for riscv64");
});
