// What is special about a directory that is a mounted share: it may be unmounted under us, and what the
// filesystem says has to be told as a StoreError.
import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoOf } from "../../model/app-error.ts";
import { failureOf, StoreError, type StoreFailure } from "../store-error.ts";

/**
 * Looks at the root. Once it was seen to be a mount point it has to stay one: under a share that was
 * unmounted lies an empty directory of the node's own disk. Throws StoreError "away".
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
 * What a share says to a name that it cannot hold. SMB servers say ENOENT (fs/smb/client, STATUS_OBJECT_NAME_INVALID).
 */
const OF_THE_NAME = new Set(["EINVAL", "ENAMETOOLONG", "EILSEQ", "ENOENT"]);
/** What stands on the way is a file where the key has a folder. */
const IN_THE_WAY = new Set(["ENOTDIR", "EEXIST"]);

/**
 * A step that gives or looks up a name. Where the share is there (`look` throws if it is not) and the answer is one
 * that names get, this file alone is at fault. Throws StoreError "name_refused" or "refused".
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

/** A step on the dump's own file, on the node: that it fails says nothing of the share. Throws StoreError. */
export async function local<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    if (failureOf(cause) !== undefined) throw cause;
    throw new StoreError("unreadable_file", `${path} cannot be read`, { cause });
  }
}

/** Runs a step; what the filesystem says becomes a StoreError. ENOENT, ESTALE, EIO, …: the share is gone. */
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
