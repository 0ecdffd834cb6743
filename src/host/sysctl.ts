// Kernel settings below a given proc root (/proc; a temporary tree in tests): read, write, read back, compare.
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError, errnoOf } from "../model/app-error.ts";
import type { Sysctl } from "../model/sysctls.ts";

function pathOf(procRoot: string, sysctl: Sysctl): string {
  return join(procRoot, "sys", sysctl.path);
}

/** The value without its newline. Throws AppError "sysctl". */
export async function readSysctl(procRoot: string, sysctl: Sysctl): Promise<string> {
  try {
    return (await readFile(pathOf(procRoot, sysctl), "utf8")).replace(/\n$/, "");
  } catch (cause) {
    throw new AppError("sysctl", `cannot read ${sysctl.name}`, { cause });
  }
}

/**
 * Writes the value in one write(2), reads it back and compares: the kernel cuts a core_pattern that is too
 * long without a word (core(5)). Throws AppError "sysctl" that names what stands there instead.
 */
export async function writeSysctl(procRoot: string, sysctl: Sysctl, value: string): Promise<void> {
  const path = pathOf(procRoot, sysctl);
  try {
    // "r+": never created. A missing file is a kernel without this setting.
    const file = await open(path, "r+");
    try {
      // On a real /proc truncation does nothing; in a test's tree it removes the old, longer value.
      await file.truncate(0).catch(() => undefined);
      await file.write(`${value}\n`, 0);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new AppError("sysctl", `cannot set ${sysctl.name} to ${JSON.stringify(value)}`, {
      cause,
      hint: hintFor(cause),
    });
  }
  const found = await readSysctl(procRoot, sysctl);
  if (found !== value)
    throw new AppError(
      "sysctl",
      `${sysctl.name} was set to ${JSON.stringify(value)} and now reads ${JSON.stringify(found)}`,
      { hint: "the kernel cut it, or another program sets it too" },
    );
}

function hintFor(cause: unknown): string {
  if (errnoOf(cause) === "EROFS")
    return "/proc/sys is read-only here: the container must be privileged";
  if (errnoOf(cause) === "EACCES" || errnoOf(cause) === "EPERM")
    return "only root on the host may change it: run as root, in a privileged container";
  return "is this the host's kernel?";
}
