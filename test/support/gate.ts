// Which tests may run here. What cannot run is skipped by name with its reason, never passed in silence.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "bun:test";

/** Tests that change kernel settings need root, and the owner's word: CDH_TEST_KERNEL=1. */
export function kernelObstacle(): string | undefined {
  if (process.env["CDH_TEST_KERNEL"] !== "1") return "needs CDH_TEST_KERNEL=1";
  if (process.getuid?.() !== 0) return "needs root";
  return undefined;
}

/** The reason why a program from a package is not here, or undefined. */
export function missingProgram(name: string): string | undefined {
  return findProgram(name) === undefined ? `needs ${name}` : undefined;
}

/** A program's path on PATH (sbin included: root tools are often left out of it), or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/**
 * A test behind obstacles: the first one that stands turns it into a skip whose name tells why.
 * timeoutMs bounds the body, waiting for the kernel lock included.
 */
export function gatedTest(
  name: string,
  obstacles: readonly (string | undefined)[],
  body: () => void | Promise<void>,
  timeoutMs = 600_000,
): void {
  const obstacle = obstacles.find((reason) => reason !== undefined);
  if (obstacle === undefined) test(name, body, timeoutMs);
  else test.skip(`${name} [skipped: ${obstacle}]`, body);
}
