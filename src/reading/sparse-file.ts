// Writes a new file in which whole pages of zeros are holes and take no room.
import { constants } from "node:fs";
import { open, unlink, type FileHandle } from "node:fs/promises";
import { writeFully } from "../host/full-write.ts";
import { AppError, errnoOf } from "../model/app-error.ts";

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const REPLACE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
/** The unit of a hole. Holes begin and end at pages, so smaller units gain nothing. */
const PAGE_BYTES = 64 * 1024;
const ZEROS = Buffer.alloc(PAGE_BYTES);

/** A file under way. */
export interface SparseFile {
  write(chunk: Uint8Array): Promise<void>;
  /** Sets the file's length and closes it. */
  finish(): Promise<void>;
  /** Closes and removes the file. */
  discard(): Promise<void>;
}

/**
 * Creates the file with mode 0600, because it holds a process's memory. Throws AppError "usage" where it exists and
 * `replace` is false.
 */
export async function createSparseFile(path: string, replace: boolean): Promise<SparseFile> {
  let file: FileHandle;
  try {
    file = await open(path, replace ? REPLACE : NEW_FILE, 0o600);
  } catch (cause) {
    if (errnoOf(cause) === "EEXIST")
      throw new AppError("usage", `${path} exists`, {
        hint: "--force replaces it, --output FILE chooses another",
      });
    throw new AppError("archive", `cannot write ${path}`, { cause });
  }
  let position = 0;
  return {
    async write(chunk) {
      for (let at = 0; at < chunk.length; at += PAGE_BYTES) {
        const page = chunk.subarray(at, at + PAGE_BYTES);
        if (!isZeros(page)) await writeFully(file, page, position + at);
      }
      position += chunk.length;
    },
    async finish() {
      await file.truncate(position);
      await file.close();
    },
    async discard() {
      await file.close();
      await unlink(path);
    },
  };
}

function isZeros(page: Uint8Array): boolean {
  return ZEROS.compare(page, 0, page.length, 0, page.length) === 0;
}
