// The kernel's settings as they were before us: what the install kept in HOST_DIR.
import { join } from "node:path";
import { isOurPattern } from "../model/core-pattern.ts";
import { CORE_PATTERN, type Sysctl } from "../model/sysctls.ts";
import { readTextFile } from "./files.ts";

/** The kernel's own default (fs/coredump.c). */
export const DEFAULT_PATTERN = "core";

/** The backup's value; undefined where there is none, or it is a pattern of ours. */
export async function readBackup(hostDir: string, sysctl: Sysctl): Promise<string | undefined> {
  const backup = (await readTextFile(join(hostDir, sysctl.backup)))?.replace(/\n$/, "");
  return backup === undefined || isOurPattern(backup, hostDir) ? undefined : backup;
}

/** core_pattern's backup; the kernel's default where there is none to give back. */
export async function readOriginalPattern(hostDir: string): Promise<string> {
  return (await readBackup(hostDir, CORE_PATTERN)) ?? DEFAULT_PATTERN;
}
