// `fetch`: copies one dump from the store to a file. Resumes an interrupted fetch, notices an object that has changed,
// and checks every entry before the file gets its name.
import { constants } from "node:fs";
import { mkdtemp, open, rename, rm, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../model/app-error.ts";
import { writeFully } from "../host/full-write.ts";
import { exists, readTextFile, removeFile, writeFileAtomically } from "../host/files.ts";
import { openFileSource } from "../store/byte-source.ts";
import { openDumpZip, readEntry } from "./dump-zip.ts";
import { showProgress } from "./progress.ts";
import type { StoreReader, StoredSource } from "../store/store-port.ts";

const RANGE_BYTES = 8 * 1024 * 1024;
const PART_FILE = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

/**
 * Fetches a dump. Throws AppError "usage" where the file exists, and "store" or "archive" after a failure; the bytes so
 * far stay in PATH.part.
 */
export async function fetchDump(
  dumps: StoreReader,
  key: string,
  path: string,
  replace: boolean,
): Promise<{ sizeBytes: number; resumedAtBytes: number }> {
  if (!replace && (await exists(path)))
    throw new AppError("usage", `${path} exists`, {
      hint: "--force replaces it, --output FILE chooses another",
    });
  const part = `${path}.part`;
  const source = await dumps.open(key);
  const file = await open(part, PART_FILE, 0o600);
  try {
    const resumedAtBytes = await resumePoint(file, part, source);
    await copyFrom(resumedAtBytes, source, file);
    await file.sync();
    await verify(part);
    await rename(part, path);
    await removeFile(versionPath(part));
    return { sizeBytes: source.sizeBytes, resumedAtBytes };
  } finally {
    await file.close();
    await source.close();
  }
}

/**
 * Fetches a dump and writes it to stdout. Keeps it in a temporary folder (TMPDIR) until it is verified, because what was
 * written cannot be taken back. Throws as fetchDump() does.
 */
export async function fetchToStdout(dumps: StoreReader, key: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "core-dump-handler-"));
  try {
    const path = join(folder, "dump.zip");
    await fetchDump(dumps, key, path, false);
    await Bun.write(Bun.stdout, Bun.file(path));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Returns how much of the same object is there already. Discards the part of another version. */
async function resumePoint(file: FileHandle, part: string, source: StoredSource): Promise<number> {
  const { size } = await file.stat();
  const same = (await readTextFile(versionPath(part))) === source.version && source.version !== "";
  if (same && size <= source.sizeBytes) return size;
  await file.truncate(0);
  await writeFileAtomically(versionPath(part), source.version);
  return 0;
}

function versionPath(part: string): string {
  return `${part}.version`;
}

async function copyFrom(start: number, source: StoredSource, file: FileHandle): Promise<void> {
  const progress = showProgress(`fetching ${source.name}`, source.sizeBytes);
  try {
    for (let at = start; at < source.sizeBytes;) {
      const bytes = await source.read(at, at + RANGE_BYTES);
      if (bytes.length === 0) throw new AppError("store", `${source.name} ends at ${at} bytes`);
      await writeFully(file, bytes, at);
      at += bytes.length;
      progress.at(at);
    }
  } finally {
    progress.end();
  }
}

/** Checks every entry's length and CRC-32. Removes a damaged part. */
async function verify(part: string): Promise<void> {
  const source = await openFileSource(part);
  try {
    const zip = await openDumpZip(source);
    const totalBytes = zip.entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const progress = showProgress(`verifying ${part}`, totalBytes);
    let doneBytes = 0;
    try {
      for (const entry of zip.entries)
        for await (const chunk of readEntry(zip, entry)) progress.at((doneBytes += chunk.length));
    } finally {
      progress.end();
    }
  } catch (error) {
    await removeFile(part);
    await removeFile(versionPath(part));
    throw error;
  } finally {
    await source.close();
  }
}
