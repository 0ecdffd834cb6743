// One kernel, one core_pattern: the lock that keeps two test runs (or checkouts) of a machine apart.
// flock(2), so the kernel frees it when its holder dies, however that happens.
import { closeSync, constants, openSync } from "node:fs";
import { tryLock } from "../../src/host/libc.ts";

const WAIT_MS = 15 * 60_000;

/** The lock's file; CDH_KERNEL_LOCK names another one. */
export function kernelLockPath(): string {
  return process.env["CDH_KERNEL_LOCK"] ?? "/tmp/core-dump-handler-kernel.lock";
}

/** Waits for the lock, a quarter of an hour at most. The returned function frees it. */
export async function takeKernelLock(): Promise<() => void> {
  const path = kernelLockPath();
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  if (!tryLock(fd) && !(await waitInLine(fd))) {
    closeSync(fd);
    throw new Error(`${path} is still held by another test run after 15 minutes`);
  }
  return () => closeSync(fd);
}

/** False when the time is up. */
async function waitInLine(fd: number): Promise<boolean> {
  const worker = new Worker(new URL("kernel-lock-waiter.ts", import.meta.url));
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), WAIT_MS);
  worker.addEventListener("message", () => resolve(true));
  worker.addEventListener("error", ({ message }) => reject(new Error(message)));
  worker.postMessage(fd);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    worker.terminate();
  }
}
