// The link in /usr/local/bin by which the installed program is found on everybody's PATH. A file of another program there
// is left alone.
import { readlink, symlink, unlink } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../model/app-error.ts";
import { PROGRAM_NAME, type ServicePlaces } from "./places.ts";

/**
 * Makes the link where nothing stands in its place. Returns whether it is there and ours; false also where the folder
 * is missing or read-only.
 */
export async function makeCommandLink({ programDir, commandDir }: ServicePlaces): Promise<boolean> {
  try {
    await symlink(join(programDir, PROGRAM_NAME), join(commandDir, PROGRAM_NAME));
    return true;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EROFS"].includes(errnoOf(error) ?? "")) return false;
    if (errnoOf(error) !== "EEXIST") throw error;
    return isOurLink({ programDir, commandDir });
  }
}

/** Removes the link if it is ours. Returns its path, or undefined where there was none. */
export async function removeCommandLink(
  places: Pick<ServicePlaces, "programDir" | "commandDir">,
): Promise<string | undefined> {
  if (!(await isOurLink(places))) return undefined;
  const path = join(places.commandDir, PROGRAM_NAME);
  await unlink(path);
  return path;
}

async function isOurLink({
  programDir,
  commandDir,
}: Pick<ServicePlaces, "programDir" | "commandDir">): Promise<boolean> {
  const target = await readlink(join(commandDir, PROGRAM_NAME)).catch(() => undefined);
  return target === join(programDir, PROGRAM_NAME);
}
