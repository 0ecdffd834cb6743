// core_pattern as it was before us: what the install kept in HOST_DIR.
import { join } from "node:path";
import { isOurPattern } from "../model/core-pattern.ts";
import { CORE_PATTERN } from "../model/sysctls.ts";
import { readTextFile } from "./files.ts";

/** The kernel's own default (fs/coredump.c). */
export const DEFAULT_PATTERN = "core";

/** The backup's value; the kernel's default where there is none, or it is ours. */
export async function readOriginalPattern(hostDir: string): Promise<string> {
  const backup = (await readTextFile(join(hostDir, CORE_PATTERN.backup)))?.replace(/\n$/, "");
  return backup === undefined || isOurPattern(backup, hostDir) ? DEFAULT_PATTERN : backup;
}
