// A filesystem of a chosen size, for tests of what happens when it is full. Needs root.
import { mkdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import { withFolder } from "./temporary-folder.ts";

/** Runs with the path of an empty tmpfs; `size` as mount(8) takes it. */
export async function withSmallDisk(
  size: string,
  body: (path: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const disk = join(folder, "disk");
    await mkdir(disk);
    const options = `size=${size},mode=700`;
    const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk]);
    if (mounted.exitCode !== 0) throw new Error(`mount: ${mounted.stderr.toString()}`);
    try {
      await body(disk);
    } finally {
      Bun.spawnSync(["umount", disk]);
    }
  });
}

export interface DiskUse {
  usedBytes: number;
  freeShare: number;
}

export async function measureDisk(path: string): Promise<DiskUse> {
  const { blocks, bfree, bsize } = await statfs(path);
  return { usedBytes: (blocks - bfree) * bsize, freeShare: bfree / blocks };
}
