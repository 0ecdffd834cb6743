// Seals a dump's file: ends the core, adds the small entries and the directory, and fills in dump-info. On a full disk
// it drops the core's tail step by step rather than the dump.
import { AppError } from "../model/app-error.ts";
import { CORE_SUFFIX, type DumpEntry } from "../model/dump-entries.ts";
import { formatDumpInfo, type DumpInfo } from "../model/dump-info.ts";
import { streamEnd, type CoreCompression } from "../model/core-compression.ts";
import { FIRST_ENTRY_MAX_BYTES } from "../model/partial-layout.ts";
import { DEFLATED, STORED } from "../model/zip-records.ts";
import type { AttemptLog } from "./attempt.ts";
import type { CoreDrain, DrainEnd } from "./core-drain.ts";
import { coreFacts } from "./dump-facts.ts";
import { isNoSpace } from "./partial-file.ts";
import type { ZipArchive } from "./zip-archive.ts";

/** What sealing needs. */
export interface Sealing {
  archive: ZipArchive;
  drain: CoreDrain;
  /** Why the drain ended. */
  end: DrainEnd;
  /** False where what was drained is not all that it should be, although its headers say so. */
  isWhole?: boolean;
  compression: CoreCompression;
  /** The dump's name, T. */
  base: string;
  entries: readonly DumpEntry[];
  /** The last entry, which is made of what the others became; undefined where there is none. Throws nothing. */
  lastEntry?: (info: DumpInfo) => DumpEntry | undefined;
  info: DumpInfo;
  attempts: AttemptLog;
}

/** The core's index among the entries; dump-info is the first. */
const CORE_ENTRY = 1;
/** How many bytes of the core's tail are dropped first when the disk is full; it doubles each time. */
const FIRST_CUT_BYTES = 256 * 1024;

const NO_ROOM = "no space left for it";

/** Makes the file a whole zip and returns the dump-info in it. Throws any error but a full disk. */
export async function sealArchive(sealing: Sealing): Promise<DumpInfo> {
  let kept = sealing;
  let cutBytes = sealing.end === "no_space" ? 0 : undefined;
  for (;;) {
    try {
      if (sealing.end === "known_bug") await leaveOutCore(kept);
      else if (cutBytes === undefined) await closeCore(kept);
      else if (!(await cutCore(kept, cutBytes))) {
        kept = withoutEntries(kept);
        cutBytes = 0;
        continue;
      }
      return await addRest(kept, cutBytes === undefined ? sealing.end : "no_space");
    } catch (error) {
      if (!isNoSpace(error)) throw error;
      // Of a core that is left out nothing can be cut.
      if (sealing.end === "known_bug") kept = withoutEntries(kept);
      else cutBytes = cutBytes === undefined ? 0 : Math.max(cutBytes * 2, FIRST_CUT_BYTES);
    }
  }
}

async function closeCore({ archive, drain, compression }: Sealing): Promise<void> {
  const { crc, sizeBytes } = drain.written;
  archive.push(streamEnd(compression, sizeBytes));
  archive.end(crc, sizeBytes);
  await archive.flush();
}

/** Cuts all of the core off. */
async function leaveOutCore({ archive, drain, compression }: Sealing): Promise<void> {
  await archive.cutBack(CORE_ENTRY, drain.takeStart(), streamEnd(compression, 0));
}

/** Cuts the core back; returns false when it cannot be cut by that much. */
async function cutCore(
  { archive, drain, compression }: Sealing,
  freeBytes: number,
): Promise<boolean> {
  const checkpoint = drain.takeCheckpoint(freeBytes);
  if (checkpoint === undefined) return false;
  const end = streamEnd(compression, checkpoint.sizeBytes);
  await archive.cutBack(CORE_ENTRY, checkpoint, end);
  return true;
}

/** Returns the sealing without the small entries: the last step, when nothing of the core is left to drop. */
function withoutEntries(sealing: Sealing): Sealing {
  const { attempts, base, entries } = sealing;
  if (entries.length === 0)
    throw new AppError("core_directory", "CORE_DIR is full: not even an empty dump fits", {
      hint: "free space there, or give the cores a filesystem of their own",
    });
  for (const { suffix } of entries) attempts.record(`${base}${suffix}`, NO_ROOM);
  return { ...sealing, entries: [], lastEntry: () => undefined };
}

async function addRest(sealing: Sealing, end: DrainEnd): Promise<DumpInfo> {
  const { archive, drain, base, entries, attempts } = sealing;
  // Readers that do not know zstd can still read all but the core.
  const method = sealing.compression === "none" ? STORED : DEFLATED;
  const leftOut: { what: string; why: string }[] = [];
  const add = async ({ suffix, data }: DumpEntry) => {
    try {
      await archive.add(base, suffix, data, method);
    } catch (error) {
      if (!isNoSpace(error)) throw error;
      leftOut.push({ what: `${base}${suffix}`, why: NO_ROOM });
    }
  };
  for (const entry of entries) await add(entry);
  const infoNow = (): DumpInfo => ({
    ...sealing.info,
    ...coreFacts(drain, end, sealing.isWhole),
    dump_file: base + CORE_SUFFIX,
    missing: [...attempts.missing, ...leftOut],
  });
  const last = sealing.lastEntry?.(infoNow());
  if (last !== undefined) await add(last);
  const info = infoNow();
  await archive.finish(base, formatDumpInfo(info, FIRST_ENTRY_MAX_BYTES));
  return info;
}
