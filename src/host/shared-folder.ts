// A folder that a group shares with root (CORE_GROUP): its setgid bit gives each new file that group, and says that files
// which are finished may be read by it. Everywhere else what root writes is root's alone.
import { constants } from "node:fs";
import { lstat, open, type FileHandle } from "node:fs/promises";
import { AppError } from "../model/app-error.ts";

/** The group may read, add and remove files, and new files are the group's. */
export const SHARED_MODE = 0o2770;

/**
 * Shares a directory of root's with a group. A process without CAP_CHOWN must be in that group. Throws AppError "host".
 */
export async function shareWithGroup(path: string, group: number): Promise<void> {
  try {
    const folder = await open(
      path,
      constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
    );
    try {
      const { uid, gid, mode } = await folder.stat();
      if (gid !== group) await folder.chown(uid, group);
      // A change of the group takes the setgid bit away.
      if (gid !== group || (mode & 0o7777) !== SHARED_MODE) await folder.chmod(SHARED_MODE);
    } finally {
      await folder.close();
    }
  } catch (cause) {
    throw new AppError("host", `cannot share ${path} with group ${group} (CORE_GROUP)`, {
      cause,
      hint: "in a pod the group must be one of its supplementalGroups, as daemonset.coreGroup makes it",
    });
  }
}

/** Returns the mode of a finished file in a directory: readable by the group that shares the directory, else root's alone. */
export async function finishedFileMode(directory: string): Promise<number> {
  const mode = (await lstat(directory)).mode & 0o7777;
  return mode === SHARED_MODE ? 0o640 : 0o600;
}

/**
 * Lets the group read a file that is finished, where the directory is shared with one. A dump that cannot be shared stays
 * root's alone and is published. Never rejects.
 */
export async function shareFinishedFile(file: FileHandle, directory: string): Promise<void> {
  const mode = await finishedFileMode(directory).catch(() => 0o600);
  if (mode !== 0o600) await file.chmod(mode).catch(() => undefined);
}
