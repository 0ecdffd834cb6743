// A share that keeps Windows' rules for names: a real NTFS (ntfs-3g, windows_names), as an Azure Files or NAS share does.
// Needs root, /dev/fuse, and the package ntfs-3g.
import { existsSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { atEnd } from "./at-end.ts";
import { temporaryFolder } from "./dumps.ts";
import { findProgram, missingProgram } from "./gate.ts";

const SIZE_BYTES = 16 << 20;

export function ntfsObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  return missingProgram("ntfs-3g") ?? (existsSync("/dev/fuse") ? undefined : "needs /dev/fuse");
}

/** The path of an empty one. It is unmounted when the tests are over. */
export function mountNtfs(): string {
  const folder = temporaryFolder();
  const [image, share] = [join(folder, "image"), join(folder, "mnt")];
  writeFileSync(image, "");
  truncateSync(image, SIZE_BYTES);
  mkdirSync(share);
  run("mkntfs", "-F", "-Q", image);
  run("ntfs-3g", "-o", "windows_names", image, share);
  atEnd(() => void Bun.spawnSync(["umount", share]));
  return share;
}

function run(name: string, ...args: string[]): void {
  const { success, stdout, stderr } = Bun.spawnSync([findProgram(name) ?? name, ...args]);
  if (!success) throw new Error(`${name}: ${stdout.toString()}${stderr.toString()}`);
}
