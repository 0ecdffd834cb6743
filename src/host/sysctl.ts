// Reads and writes kernel settings below a proc root: /proc, or a temporary tree in tests.
import { closeSync, openSync, writeSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError, errnoOf } from "../model/app-error.ts";
import type { Sysctl } from "../model/sysctls.ts";
import { inHostMountNamespace } from "./host-namespace.ts";

/** The hint for EROFS. */
export const READ_ONLY_HINT =
  "/proc/sys is read-only here: mount the host's files and set PROC_ROOT, as the chart does";

function pathOf(procRoot: string, sysctl: Sysctl): string {
  return join(procRoot, "sys", sysctl.path);
}

/** Returns the value without its newline. Throws AppError "sysctl" where it cannot be read. */
export async function readSysctl(procRoot: string, sysctl: Sysctl): Promise<string> {
  try {
    return (await readFile(pathOf(procRoot, sysctl), "utf8")).replace(/\n$/, "");
  } catch (cause) {
    throw new AppError("sysctl", `cannot read ${sysctl.name}`, { cause });
  }
}

/**
 * Writes the value in one write(2), reads it back and compares, because the kernel cuts a long core_pattern without an
 * error (core(5)). Writes a coredump socket's path from the host's mount namespace where the kernel refuses it from
 * this one. Throws AppError "sysctl" that names the value that the kernel has instead.
 */
export async function writeSysctl(procRoot: string, sysctl: Sysctl, value: string): Promise<void> {
  const path = pathOf(procRoot, sysctl);
  try {
    await writeValue(path, value).catch((error: unknown) => {
      if (errnoOf(error) !== "EINVAL" || !value.startsWith("@")) throw error;
      writeFromHost(path, value);
    });
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

async function writeValue(path: string, value: string): Promise<void> {
  // "r+" never creates the file: a kernel without this setting has none.
  const file = await open(path, "r+");
  try {
    // Truncation does nothing on a real /proc; in a test's tree it removes an old, longer value.
    await file.truncate(0).catch(() => undefined);
    await file.write(`${value}\n`, 0);
  } finally {
    await file.close();
  }
}

/**
 * Writes inside the host's namespace: the kernel checks the namespace of the writer, not of the opener (fs/coredump.c,
 * proc_dostring_coredump).
 */
function writeFromHost(path: string, value: string): void {
  const fd = openSync(path, "r+");
  try {
    inHostMountNamespace(() => writeSync(fd, `${value}\n`));
  } finally {
    closeSync(fd);
  }
}

function hintFor(cause: unknown): string {
  if (cause instanceof AppError && cause.hint !== undefined) return cause.hint;
  if (errnoOf(cause) === "EROFS") return READ_ONLY_HINT;
  if (errnoOf(cause) === "EACCES" || errnoOf(cause) === "EPERM")
    return "only root of the host may change it";
  if (errnoOf(cause) === "EINVAL") return "this kernel does not know such a value";
  return "is this the host's kernel?";
}
