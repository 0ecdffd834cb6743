// `extract`: writes one entry of a dump to a file, with zeros as holes, or to stdout. Verifies length and checksum,
// and removes a file whose entry is damaged.
import { isCoreName } from "../model/dump-entries.ts";
import { AppError } from "../model/app-error.ts";
import { manyLines } from "../model/printable.ts";
import { portableFileName } from "../model/portable-name.ts";
import type { BoundedEntry } from "../model/zip-bounds.ts";
import { readEntry, type DumpZip } from "./dump-zip.ts";
import { showProgress } from "./progress.ts";
import { createSparseFile } from "./sparse-file.ts";

/** Returns the default name of the file for an entry: the entry's name as one harmless path component. */
export function fileNameOf(entry: { name: string }): string {
  return portableFileName(entry.name) || "entry";
}

/**
 * Extracts to a file. Throws AppError "usage" for a file that exists, and "archive" for a damaged entry, whose file it
 * removes.
 */
export async function extractToFile(
  zip: DumpZip,
  entry: BoundedEntry,
  path: string,
  replace: boolean,
): Promise<void> {
  const file = await createSparseFile(path, replace);
  const progress = showProgress(`extracting ${path}`, entry.sizeBytes);
  try {
    let done = 0;
    for await (const chunk of readEntry(zip, entry)) {
      await file.write(chunk);
      done += chunk.length;
      progress.at(done);
    }
    await file.finish();
  } catch (cause) {
    await file.discard();
    if (cause instanceof AppError) throw cause;
    throw new AppError("archive", `cannot write ${path}`, { cause });
  } finally {
    progress.end();
  }
}

/** Streams an entry to stdout: byte for byte, except on a terminal, where it escapes bytes that would act on it. */
export async function extractToStdout(zip: DumpZip, entry: BoundedEntry): Promise<void> {
  if (process.stdout.isTTY) return showOnTerminal(zip, entry);
  const out = Bun.stdout.writer();
  for await (const chunk of readEntry(zip, entry)) {
    await out.write(chunk);
    await out.flush();
  }
  await out.end();
}

/** Shows a text entry. Throws AppError "usage" for a core. */
async function showOnTerminal(zip: DumpZip, entry: BoundedEntry): Promise<void> {
  if (isCoreName(entry.name))
    throw new AppError("usage", `${entry.name} is not for a terminal`, {
      hint: "--output FILE, or a pipe, takes it",
    });
  const text = new TextDecoder();
  for await (const chunk of readEntry(zip, entry))
    process.stdout.write(manyLines(text.decode(chunk, { stream: true })));
  process.stdout.write(manyLines(text.decode()));
}
