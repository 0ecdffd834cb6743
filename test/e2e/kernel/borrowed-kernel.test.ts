// The support code that every kernel test stands on: whatever ends a borrower, the settings come back.
import { expect } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  readKernel,
  readKernelAtRest,
  restoreAtRest,
  withCorePattern,
} from "../../support/borrowed-kernel.ts";
import { failureOf } from "../../support/failure.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";
import { takeKernelLock } from "../../support/kernel-lock.ts";

const BORROWER = join(import.meta.dir, "../../support/borrower.ts");
const PATTERN = "/tmp/borrowed-by-a-test.%p";

async function startBorrower() {
  const child = Bun.spawn([process.execPath, BORROWER, PATTERN], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 300_000,
  });
  const { value } = await child.stdout.getReader().read();
  const [, grandchild] = /^borrowed (\d+)\n$/.exec(new TextDecoder().decode(value)) ?? [];
  return { child, grandchild: Number(grandchild) };
}

gatedTest("a body that throws leaves the kernel as it was", [kernelObstacle()], async () => {
  const before = await readKernelAtRest();
  const failing = withCorePattern(PATTERN, async () => {
    expect(readKernel().corePattern).toBe(PATTERN);
    throw new Error("the test failed");
  });
  expect(await failureOf(failing)).toBe("the test failed");
  expect(await readKernelAtRest()).toEqual(before);
});

for (const signal of ["SIGINT", "SIGTERM"] as const)
  gatedTest(`a borrower ended by ${signal} restores`, [kernelObstacle()], async () => {
    const before = await readKernelAtRest();
    const { child, grandchild } = await startBorrower();
    expect(readKernel().corePattern).toBe(PATTERN);
    expect(existsSync(`/proc/${grandchild}`)).toBe(true);
    child.kill(signal);
    await child.exited;
    expect(child.signalCode).toBe(signal);
    // Its parent's end is its own: an agent would set the pattern anew.
    while (existsSync(`/proc/${grandchild}`)) await Bun.sleep(20);
    expect(await readKernelAtRest()).toEqual(before);
  });

gatedTest("what a killed borrower left is restored after it", [kernelObstacle()], async () => {
  const before = await readKernelAtRest();
  const { child, grandchild } = await startBorrower();
  child.kill("SIGKILL");
  await child.exited;
  process.kill(grandchild, "SIGKILL");
  expect(await restoreAtRest(before)).toEqual(["a borrower was killed"]);
  expect(await readKernelAtRest()).toEqual(before);
  expect(await restoreAtRest(before)).toEqual([]);
});

gatedTest("what outlived its borrower is found and put right", [kernelObstacle()], async () => {
  const before = await readKernelAtRest();
  const unlock = await takeKernelLock();
  writeFileSync("/proc/sys/kernel/core_pattern", PATTERN);
  unlock();
  expect(await restoreAtRest(before)).toEqual([`kernel.core_pattern was ${PATTERN}`]);
  expect(await readKernelAtRest()).toEqual(before);
});

gatedTest("a pattern that the kernel would cut is refused", [kernelObstacle()], async () => {
  const before = await readKernelAtRest();
  const tooLong = withCorePattern(`/tmp/${"x".repeat(130)}`, async () => {});
  expect(await failureOf(tooLong)).toStartWith("kernel.core_pattern is");
  expect(await readKernelAtRest()).toEqual(before);
});
