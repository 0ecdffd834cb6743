// What is special about a directory that is a mounted share: it may be unmounted under us, and what the
// filesystem says has to be told as a StoreError.
import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoOf } from "../../model/app-error.ts";
import { failureOf, StoreError, type StoreFailure } from "./store-error.ts";

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
  EACCES: "forbidden",
  EPERM: "forbidden",
  EROFS: "forbidden",
};

const SENTENCES: Partial<Record<StoreFailure, string>> = {
  no_space: "is full",
  forbidden: "may not be written to",
  away: "cannot be reached",
  refused: "does not take a file of this size",
};

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
