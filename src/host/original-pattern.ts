// Reads the kernel's settings as they were before the install, which kept them in HOST_DIR.
import { join } from "node:path";
import { isOurPattern } from "../model/core-pattern.ts";
import { CORE_PATTERN, type Sysctl } from "../model/sysctls.ts";
import { readTextFile } from "./files.ts";

/** The kernel's default for core_pattern (fs/coredump.c). */
export const DEFAULT_PATTERN = "core";

/** Returns a setting's backup; undefined where there is none, or where it is this program's own pattern. */
export async function readBackup(hostDir: string, sysctl: Sysctl): Promise<string | undefined> {
  const backup = (await readTextFile(join(hostDir, sysctl.backup)))?.replace(/\n$/, "");
  return backup === undefined || isOurPattern(backup, hostDir) ? undefined : backup;
}

/** Returns core_pattern's backup, or the kernel's default where there is none. */
export async function readOriginalPattern(hostDir: string): Promise<string> {
  return (await readBackup(hostDir, CORE_PATTERN)) ?? DEFAULT_PATTERN;
}
