// `.T.zip.upload.json` beside T.zip: what must outlive the agent so that an upload goes on where it stopped and a
// retry waits its turn. Which parts arrived is not in it: the store knows. The writer holds the zip's lock. Delivery
// continues where the journal cannot be written (a full disk), because the upload frees the disk.
import { randomUUID } from "node:crypto";
import { basename, dirname, join } from "node:path";
import * as v from "valibot";
import { constants } from "node:fs";
import { open, rename } from "node:fs/promises";
import { readTextFile, removeFile, syncDirectory } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { describeError } from "../../model/app-error.ts";
import type { Proof } from "../../store/store-port.ts";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(4096));
const upload = v.object({ key: name, uploadId: name });

const proof = v.custom<Proof>((value) => value !== undefined);
const written = v.object({ key: name, proof });
/** Earlier versions wrote the fields of the proof beside the key. */
const spreadProof = v.pipe(
  v.looseObject({ key: name }),
  v.transform(({ key, ...fields }): v.InferOutput<typeof written> => ({
    key,
    // JSON.parse made the fields.
    proof: fields as Proof,
  })),
);

const journalSchema = v.object({
  version: v.literal(1),
  /** The file of this journal; a journal of another file with the same name is void. */
  file: v.object({ sizeBytes: count, mtimeMs: v.number(), inode: count }),
  deliveryId: name,
  /** The key without a collision suffix, chosen once. */
  key: name,
  suffix: count,
  /** The unfinished multipart upload. */
  upload: v.nullable(upload),
  /** Set while a multipart upload was requested and the answer is not recorded: it may exist under an unknown id. */
  opening: v.nullable(v.object({ key: name, sinceMs: v.number() })),
  /**
   * The last write that the store answered, where a later process needs its proof to recognise the object. Older
   * journals have none.
   */
  written: v.optional(v.nullable(v.union([written, spreadProof])), null),
  /** The number of failed attempts; retryAtMs is when the next may begin. */
  attempts: count,
  retryAtMs: v.number(),
  lastError: v.nullable(v.string()),
});

/** A journal's content. */
export type Journal = v.InferOutput<typeof journalSchema>;
/** What identifies the file of a journal. */
export type FileIdentity = Journal["file"];

const JOURNAL_NAME = /^\.(.+)\.upload\.json(?:\.new)?$/;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const JOURNAL_MAX_BYTES = 64 * 1024;

/** Returns the path of a zip's journal. */
export function journalPathOf(zipPath: string): string {
  return join(dirname(zipPath), `.${basename(zipPath)}.upload.json`);
}

/** Returns the zip's name for a journal's name, finished or not; undefined for any other file. */
export function zipNameOf(journalName: string): string | undefined {
  return JOURNAL_NAME.exec(journalName)?.[1];
}

/** Makes the journal of a file that was never tried, with a new delivery id. */
export function newJournal(file: FileIdentity, key: string): Journal {
  return {
    version: 1,
    file,
    deliveryId: randomUUID(),
    key,
    suffix: 0,
    upload: null,
    opening: null,
    written: null,
    attempts: 0,
    retryAtMs: 0,
    lastError: null,
  };
}

/** Returns the proof of the last write to this key, where it is needed to recognise the object. */
export function proofAt({ written: last }: Journal, key: string): Proof | undefined {
  return last?.key === key ? last.proof : undefined;
}

/** Reads a journal; undefined where there is none that this program could have written. */
export async function readJournal(path: string, log: Log): Promise<Journal | undefined> {
  try {
    const text = await readTextFile(path, JOURNAL_MAX_BYTES);
    if (text === undefined) return undefined;
    return v.parse(journalSchema, JSON.parse(text));
  } catch (error) {
    log.warn("journal_unreadable", { path, error: describeError(error) });
    return undefined;
  }
}

/**
 * Writes a journal; logs a failure. The unfinished file has a fixed name: only the holder of the zip's lock writes, so
 * the next holder replaces what a killed one left.
 */
export async function writeJournal(path: string, journal: Journal, log: Log): Promise<void> {
  const unfinished = `${path}.new`;
  try {
    await removeFile(unfinished);
    const file = await open(unfinished, NEW_FILE, 0o600);
    try {
      await file.writeFile(`${JSON.stringify(journal)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    log.warn("journal_not_written", { path, error: describeError(error) });
  }
}

/** Removes a journal; logs a failure. */
export async function removeJournal(path: string, log: Log): Promise<void> {
  try {
    await removeFile(`${path}.new`);
    await removeFile(path);
  } catch (error) {
    log.warn("journal_not_removed", { path, error: describeError(error) });
  }
}

/** Returns whether two identities are of one file. */
export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs && a.inode === b.inode;
}
