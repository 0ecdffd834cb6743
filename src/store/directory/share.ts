// What is special about a directory on a mounted share: somebody may unmount it at any time, and the filesystem's
// errors become StoreErrors.
import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoOf } from "../../model/app-error.ts";
import { failureOf, StoreError, type StoreFailure } from "../store-error.ts";

/**
 * Returns a function that looks at the root. After it has once seen a mount point there, the root must stay one: under
 * an unmounted share lies an empty directory on the node's own disk. The function throws StoreError "away".
 */
export function watchMount(root: string): () => Promise<Stats> {
  let wasMounted = false;
  return async () => {
    const [found, parent] = await Promise.all([stat(root), stat(dirname(root))]);
    const isMounted = found.dev !== parent.dev;
    if (!found.isDirectory() || (wasMounted && !isMounted))
      throw new StoreError(
        "away",
        `${root} is ${found.isDirectory() ? "no longer mounted" : "not a directory"}`,
        { hint: "STORE_URL names a directory that exists, the mount point of a share for one" },
      );
    wasMounted ||= isMounted;
    return found;
  };
}

const FAILURES: Readonly<Record<string, StoreFailure>> = {
  ENOSPC: "no_space",
  EDQUOT: "no_space",
  EFBIG: "refused",
  ENAMETOOLONG: "name_refused",
  EILSEQ: "name_refused",
  EACCES: "forbidden",
  EPERM: "forbidden",
  EROFS: "forbidden",
};

const SENTENCES: Partial<Record<StoreFailure, string>> = {
  no_space: "is full",
  forbidden: "may not be written to",
  away: "cannot be reached",
  refused: "does not take a file of this size",
  name_refused: "does not take a name like this",
};

/**
 * A share's errors for a name that it cannot hold. SMB servers answer ENOENT (fs/smb/client,
 * STATUS_OBJECT_NAME_INVALID).
 */
const OF_THE_NAME = new Set(["EINVAL", "ENAMETOOLONG", "EILSEQ", "ENOENT"]);
/** The errors where a file has the place of one of the key's folders. */
const IN_THE_WAY = new Set(["ENOTDIR", "EEXIST"]);

/**
 * Runs a step that creates or looks up a name. Where it fails with one of the errors for names, although the share is
 * mounted (`look` throws if it is not), only this file is at fault. Throws StoreError "name_refused" or "refused" then.
 */
export async function named<T>(
  { root, key, look }: { root: string; key: string; look: () => Promise<unknown> },
  step: () => Promise<T>,
): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    const errno = failureOf(cause) === undefined ? (errnoOf(cause) ?? "") : "";
    if (OF_THE_NAME.has(errno) || IN_THE_WAY.has(errno)) await look();
    if (OF_THE_NAME.has(errno))
      throw new StoreError("name_refused", `${root} does not take the name ${key}`, {
        cause,
        hint: "another STORE_KEY_TEMPLATE gives names that it takes",
      });
    if (IN_THE_WAY.has(errno))
      throw new StoreError("refused", `a file stands in ${root} where ${key} needs a folder`, {
        cause,
        hint: "move it away, or choose another STORE_KEY_TEMPLATE",
      });
    throw cause;
  }
}

/**
 * Runs a step on the dump's file on this node, whose failure is not the share's. Throws StoreError "unreadable_file".
 */
export async function local<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    if (failureOf(cause) !== undefined) throw cause;
    throw new StoreError("unreadable_file", `${path} cannot be read`, { cause });
  }
}

/**
 * Runs a step and turns the filesystem's errors into StoreErrors. ENOENT, ESTALE, EIO and others mean that the share
 * has gone.
 */
export async function explained<T>(
  root: string,
  action: string,
  step: () => Promise<T>,
): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (failureOf(error) !== undefined) throw error;
    const source = error instanceof Error ? error.cause : undefined;
    const failure = FAILURES[errnoOf(error) ?? ""] ?? FAILURES[errnoOf(source) ?? ""] ?? "away";
    throw new StoreError(failure, `${action}: ${root} ${SENTENCES[failure] ?? failure}`, {
      cause: error,
      ...(failure === "away" ? { hint: "is the share of STORE_URL mounted?" } : {}),
    });
  }
}
