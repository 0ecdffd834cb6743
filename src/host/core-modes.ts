// Reads which ways of handing over a core the kernel has: /proc/sys/kernel/core_modes (Linux 6.16), one word a line.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../model/app-error.ts";

/**
 * Returns the words; an empty list on an older kernel. Looks in /proc too, because the chart mounts only the three
 * sysctls below PROC_ROOT.
 */
export async function readCoreModes(procRoot: string): Promise<string[]> {
  for (const root of [procRoot, "/proc"]) {
    try {
      const text = await readFile(join(root, "sys/kernel/core_modes"), "utf8");
      return text.split(/\s+/).filter((word) => word !== "");
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
    }
  }
  return [];
}
