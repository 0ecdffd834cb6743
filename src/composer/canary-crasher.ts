// Decides whether a crash is the doctor's canary, whose zip goes where no sweep looks. Nobody may use this to hide a
// crash, and any process can choose the canary's name, so the name proves nothing. The process must run the file of
// that name in HOST_DIR, which only root may write and execute. Where HOST_DIR allows no execution, it must run the
// file that root's note there names by device and inode, which nobody can choose for a file.
import { constants, closeSync, fstatSync, lstatSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ComposerSettings } from "../config/composer-settings.ts";
import type { CrashContext } from "../model/crash-context.ts";
import { canaryNote, formatCanaryNote, isCanaryName } from "../model/canary.ts";

const REGULAR_0700 = 0o100700n;
const REGULAR_0600 = 0o100600n;
/** Two 64-bit numbers and a colon. */
const NOTE_MAX_BYTES = 41;

/**
 * Returns whether the crashed process, which the kernel must still hold, is a canary. Does no I/O for a process of
 * another name. Looks into HOST_DIR first, because the process's own file may be on a file system that no longer
 * answers.
 */
export function isCanary(
  { exeName, hostPid }: CrashContext,
  hostDir: string,
  procDir = "/proc",
): boolean {
  if (!isCanaryName(exeName) || hostPid === null) return false;
  try {
    const expected = readProgramId(hostDir, exeName);
    if (expected === undefined) return false;
    // A canary of this name is running, and this program made its file.
    const running = statSync(join(procDir, String(hostPid), "exe"), { bigint: true });
    if (running.uid !== 0n || running.mode !== REGULAR_0700) return false;
    return expected === formatCanaryNote({ device: running.dev, inode: running.ino });
  } catch {
    return false; // no such file, or the process is gone: a crash like any other
  }
}

/**
 * Returns device and inode of the file that root put there under this name, or that root's note names; undefined for
 * none.
 */
function readProgramId(hostDir: string, exeName: string): string | undefined {
  const placed = lstatSync(join(hostDir, exeName), { bigint: true, throwIfNoEntry: false });
  if (placed === undefined) return undefined;
  if (placed.isSymbolicLink()) return readNote(join(hostDir, canaryNote(exeName)));
  return formatCanaryNote({ device: placed.dev, inode: placed.ino });
}

/** Reads a note; undefined where it is not a file that only root can write. */
function readNote(path: string): string | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { uid, mode } = fstatSync(fd, { bigint: true });
    if (uid !== 0n || mode !== REGULAR_0600) return undefined;
    const text = Buffer.alloc(NOTE_MAX_BYTES);
    return text.toString("latin1", 0, readSync(fd, text, 0, NOTE_MAX_BYTES, 0));
  } finally {
    closeSync(fd);
  }
}

/**
 * Returns the settings without the owner's rules and limits: the composer takes the canary's dump and evicts none for
 * it.
 */
export function settingsForCanary(settings: ComposerSettings): ComposerSettings {
  return {
    ...settings,
    POD_SELECTOR_LABEL: "",
    NAMESPACE_INCLUDE: "",
    NAMESPACE_EXCLUDE: "",
    CORE_EVENTS: false,
    MAX_CORE_SIZE: 0,
    CORE_CONTENT: "full",
    POD_POLICY: false,
    DISK_QUOTA: "100%",
    DISK_FREE: "0",
    CRASH_LOOP_LIMIT: 0,
    DUMPS_AT_ONCE: 0,
    PREVIOUS_HANDLER: "",
  };
}
