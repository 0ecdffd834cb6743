// What the pages read of one dump in the store: its report's facts, its files, the dump itself.
import { basename } from "node:path";
import { AppError } from "../../model/app-error.ts";
import { asKnownInfo } from "../../model/dump-info.ts";
import type { BoundedEntry } from "../../model/zip-bounds.ts";
import type { ReportedCrash } from "../../report/reported-crash.ts";
import type { StoredSource, StoreReader } from "../../store/store-port.ts";
import { openDumpZip, readEntry } from "../dump-zip.ts";
import { readLog, readSummary } from "../explain-file.ts";
import { readInfo } from "../info.ts";

/** As much of a log as a report shows. */
const LOG_CHARACTERS = 64 * 1024;
const PIECE_BYTES = 1 << 20;

/** A crash and the files of its dump. */
export interface DumpContents {
  crash: ReportedCrash;
  entries: readonly BoundedEntry[];
}

/** Reads a dump's small entries. Throws AppError or StoreError. */
export async function readContents(store: StoreReader, key: string): Promise<DumpContents> {
  const source = await store.open(key);
  try {
    const zip = await openDumpZip(source);
    const info = asKnownInfo(await readInfo(zip).catch(() => ({})));
    const summary = await readSummary(zip);
    const log = (await readLog(zip)).slice(-LOG_CHARACTERS);
    const crash = { info, summary, log, fileName: basename(key), key };
    return { crash, entries: zip.entries };
  } finally {
    await source.close();
  }
}

/** Opens the whole dump, to be sent. Throws AppError or StoreError. */
export async function openDump(
  store: StoreReader,
  key: string,
): Promise<{ sizeBytes: number; body: ReadableStream<Uint8Array> }> {
  const source = await store.open(key);
  return { sizeBytes: source.sizeBytes, body: streamOf(piecesOf(source), source) };
}

/** Opens one file of a dump, unpacked, to be sent. Throws AppError or StoreError. */
export async function openEntry(
  store: StoreReader,
  key: string,
  name: string,
): Promise<{ sizeBytes: number; body: ReadableStream<Uint8Array> }> {
  const source = await store.open(key);
  try {
    const zip = await openDumpZip(source);
    const entry = zip.entries.find((each) => each.name === name);
    if (entry === undefined) throw new AppError("usage", "this dump has no file of that name");
    return { sizeBytes: entry.sizeBytes, body: streamOf(readEntry(zip, entry), source) };
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function* piecesOf(source: StoredSource): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.sizeBytes; at += PIECE_BYTES)
    yield await source.read(at, Math.min(source.sizeBytes, at + PIECE_BYTES));
}

/** One piece is read when the last one was sent; a client that goes away ends it. */
function streamOf(
  pieces: AsyncGenerator<Uint8Array>,
  source: StoredSource,
): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await pieces.next();
          if (done !== true) {
            controller.enqueue(value);
            return;
          }
          controller.close();
        } catch (error) {
          controller.error(error);
        }
        await source.close();
      },
      async cancel() {
        await pieces.return(undefined);
        await source.close();
      },
    },
    { highWaterMark: 0 },
  );
}
