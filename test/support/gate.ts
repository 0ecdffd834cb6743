// Which tests may run here. What cannot run is skipped by name with its reason, never passed in silence.
import { closeSync, existsSync, openSync, readFileSync, readlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "bun:test";
import { seesHostProcesses } from "../../src/host/host-namespace.ts";

/**
 * Tests that change kernel settings need root, the owner's word (CDH_TEST_KERNEL=1), and a kernel that can
 * be told: in a container core_pattern is often read-only, or the kernel looks for programs in another root
 * than ours. The latter is found out by trying (kernel-probe.ts), once per verify, which says so in
 * CDH_KERNEL_OBSTACLE.
 */
export function kernelObstacle(): string | undefined {
  if (process.env["CDH_TEST_KERNEL"] !== "1") return "needs CDH_TEST_KERNEL=1";
  if (process.getuid?.() !== 0) return "needs root";
  try {
    closeSync(openSync("/proc/sys/kernel/core_pattern", "r+"));
  } catch {
    return "core_pattern cannot be written here";
  }
  return process.env["CDH_KERNEL_OBSTACLE"] || undefined;
}

/** Tests of the kernel's coredump socket need more: Linux 6.17, and the initial mount namespace. */
export function socketObstacle(): string | undefined {
  const obstacle = kernelObstacle();
  if (obstacle !== undefined) return obstacle;
  const path = "/proc/sys/kernel/core_modes";
  const modes = existsSync(path) ? readFileSync(path, "utf8") : "";
  if (!/^socket$/m.test(modes)) return "needs the kernel's coredump socket (Linux 6.17)";
  return isOnHost() ? undefined : "needs the host's own mount namespace";
}

/** The kernel takes a socket's path from nowhere else; its thread kthreadd has the namespaces that it began with. */
function isOnHost(): boolean {
  const mounts = (pid: string) => readlinkSync(`/proc/${pid}/ns/mnt`);
  return seesHostProcesses() && mounts("self") === mounts("2");
}

/** Why there can be no mounts in a namespace of a test's own, or undefined. */
export function mountObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root (mounts in a namespace of its own)";
  const tried = Bun.spawnSync(["unshare", "-m", "mount", "--make-rprivate", "/"]);
  return tried.success ? undefined : "no mounts allowed here";
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
