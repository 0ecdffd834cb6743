// Is this crash the doctor's canary? Then its dump is proof, not cargo: it goes where no sweep looks.
// The answer must not be a way to hide a crash: a name alone proves nothing, as any process may choose its
// own. It counts that the process runs the very file of that name in HOST_DIR, which only root may write
// to, and that only root may execute; or, where HOST_DIR allows no execution, the very file that root has named
// there by device and inode, which nobody can choose for a file of his own.
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
 * Costs nothing for a process of another name. The process must still be held. Looks into HOST_DIR first: the
 * crashed process's file may be on a file system that stopped answering, and a look at it would never end.
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
    // A canary of this name is under way, in a file of ours.
    const running = statSync(join(procDir, String(hostPid), "exe"), { bigint: true });
    if (running.uid !== 0n || running.mode !== REGULAR_0700) return false;
    return expected === formatCanaryNote({ device: running.dev, inode: running.ino });
  } catch {
    return false; // no such file, or the process is gone: a crash like any other
  }
}

/** Which file root has put there under this name, or has named in the note beside it; undefined for none. */
function readProgramId(hostDir: string, exeName: string): string | undefined {
  const placed = lstatSync(join(hostDir, exeName), { bigint: true, throwIfNoEntry: false });
  if (placed === undefined) return undefined;
  if (placed.isSymbolicLink()) return readNote(join(hostDir, canaryNote(exeName)));
  return formatCanaryNote({ device: placed.dev, inode: placed.ino });
}

/** undefined where it is not root's own. */
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

/** Whatever the owner's rules and limits say of dumps: this one is taken, and no other gives way to it. */
export function settingsForCanary(settings: ComposerSettings): ComposerSettings {
  return {
    ...settings,
    POD_SELECTOR_LABEL: "",
    NAMESPACE_INCLUDE: "",
    NAMESPACE_EXCLUDE: "",
    CORE_EVENTS: false,
    MAX_CORE_SIZE: 0,
    DISK_QUOTA: "100%",
    DISK_FREE: "0",
    CRASH_LOOP_LIMIT: 0,
    DUMPS_AT_ONCE: 0,
    PREVIOUS_HANDLER: "",
  };
}
