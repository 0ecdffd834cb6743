// `extract`: one entry of a dump into a file, zeros left as holes, or to stdout. Length and checksum are
// verified; what turns out damaged does not stay behind as if it were whole.
import { isCoreName } from "../model/dump-entries.ts";
import { AppError } from "../model/app-error.ts";
import { manyLines } from "../model/printable.ts";
import { portableFileName } from "../model/portable-name.ts";
import type { BoundedEntry } from "../model/zip-bounds.ts";
import { readEntry, type DumpZip } from "./dump-zip.ts";
import { showProgress } from "./progress.ts";
import { createSparseFile } from "./sparse-file.ts";

/** The file an entry is extracted to by default: its own name as one harmless path component. */
export function fileNameOf(entry: { name: string }): string {
  return portableFileName(entry.name) || "entry";
}

/** Throws AppError "usage" for a file that exists, "archive" for a damaged entry (the file is removed). */
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

/** To stdout, as a stream: byte for byte, but for a terminal, where an entry's bytes must not act. */
export async function extractToStdout(zip: DumpZip, entry: BoundedEntry): Promise<void> {
  if (process.stdout.isTTY) return showOnTerminal(zip, entry);
  const out = Bun.stdout.writer();
  for await (const chunk of readEntry(zip, entry)) {
    await out.write(chunk);
    await out.flush();
  }
  await out.end();
}

/** Throws AppError "usage" for a core. */
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
