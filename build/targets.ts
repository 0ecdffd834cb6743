// Which executables there are, as data, and which of them runs on this machine.
import { openSync, readSync, closeSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dir, "..");
export const DIST = join(ROOT, "dist");

export interface Target {
  /** What `--target` calls it. */
  name: string;
  arch: "x64" | "arm64";
  libc: "gnu" | "musl";
  /** What Bun calls it; the gnu builds need glibc 2.17, the musl builds musl and libstdc++. */
  compileTarget: Bun.Build.CompileTarget;
}

export const TARGETS: readonly Target[] = [
  { name: "linux-x64-gnu", arch: "x64", libc: "gnu", compileTarget: "bun-linux-x64" },
  { name: "linux-x64-musl", arch: "x64", libc: "musl", compileTarget: "bun-linux-x64-musl" },
  { name: "linux-arm64-gnu", arch: "arm64", libc: "gnu", compileTarget: "bun-linux-arm64" },
  { name: "linux-arm64-musl", arch: "arm64", libc: "musl", compileTarget: "bun-linux-arm64-musl" },
];

/** Where a target's executable lies. */
export function executableOf(target: Target): string {
  return join(DIST, `core-dump-handler-${target.name}`);
}

/** The target of this machine. Throws on anything but Linux on x64 or arm64. */
export function hostTarget(): Target {
  const libc = runtimeIsMusl() ? "musl" : "gnu";
  const found = TARGETS.find((target) => target.arch === process.arch && target.libc === libc);
  if (process.platform !== "linux" || found === undefined)
    throw new Error(
      `no target for ${process.platform} on ${process.arch}: Linux x64 or arm64 only`,
    );
  return found;
}

/** The targets that `--target` names: one of the table, `host`, or `all`. */
export function selectTargets(name: string): readonly Target[] {
  if (name === "all") return TARGETS;
  if (name === "host") return [hostTarget()];
  const found = TARGETS.find((target) => target.name === name);
  const names = ["all", "host", ...TARGETS.map((target) => target.name)].join(", ");
  if (found === undefined) throw new Error(`no target "${name}"; there are: ${names}`);
  return [found];
}

/** The Bun that runs this names its dynamic linker within its first page (ELF PT_INTERP). */
function runtimeIsMusl(): boolean {
  const head = Buffer.alloc(4096);
  const fd = openSync(process.execPath, "r");
  try {
    readSync(fd, head);
  } finally {
    closeSync(fd);
  }
  return head.includes("/ld-musl-");
}
