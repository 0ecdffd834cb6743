// A core of the stacks alone, made while the kernel holds the process: notes and registers are read from the core's
// beginning on stdin, memory from the process itself, and the rest of the core is never read. It all goes into memory
// first, so that the process can be let go before anything is compressed.
import { closeSync } from "node:fs";
import { isStillHeld, type HeldProcess } from "../../host/held-process.ts";
import { openMemorySpace } from "../../host/memory-file.ts";
import { within } from "../../host/timer.ts";
import type { CoreFront } from "./core-front.ts";
import { CoreNotesCopy } from "./core-notes-copy.ts";
import { openFilePages } from "./file-pages.ts";
import { openHeldPages } from "./held-pages.ts";
import { MappedFiles } from "./mapped-files.ts";
import { PageCopier } from "./page-copier.ts";
import type { PageMemory } from "./page-memory.ts";
import { layOut, type Piece } from "./small-core-layout.ts";
import type { CopyPlan } from "./copy-plan.ts";
import { copyByPlan, stackPageOf } from "./stack-plan.ts";

/** Where the process's memory is: in the process, or in its core's file. */
export type MemoryPlace =
  { kind: "held"; procDir: string; held: HeldProcess; tid: number } | { kind: "file"; fd: number };

/** A small core that is ready to be read. */
export interface SmallCore {
  pieces: Piece[];
  /** Files in memory, which the caller closes. */
  notes: number;
  pages: number;
  sizeBytes: number;
  /** What could not be had, one sentence each. */
  lacks: string[];
  /** False where the process ended meanwhile. */
  isWhole: boolean;
}

/** Page tables, stacks and pages of any process take less, in bytes; the longest hold, in ms. */
const PAGES_MAX_BYTES = 96 << 20;

/** Opens the memory. Throws where it cannot be read, as long as all of the core can still be drained instead. */
export function openPages(place: MemoryPlace, { segments }: CoreFront): PageMemory {
  if (place.kind === "file") return openFilePages(place.fd, segments);
  const { procDir, held, tid } = place;
  const pages = openHeldPages(procDir, held, tid, segments.pageBytes);
  // What is open is this process's memory, whoever gets its number later.
  if (isStillHeld(procDir, held)) return pages;
  pages.close();
  throw new Error("the process has ended");
}

/**
 * Makes the small core. `readNotes` fills in the notes; it returns when they are whole or the input has ended. Copies
 * for maxMs at most. Closes `memory`. Throws only where there is no memory for it.
 */
export async function makeSmallCore(
  front: CoreFront,
  memory: PageMemory,
  readNotes: (notes: CoreNotesCopy) => Promise<void>,
  maxMs: number,
): Promise<SmallCore> {
  const lacks: string[] = [];
  const spaces = { notes: openMemorySpace("core-notes"), pages: -1 };
  try {
    spaces.pages = openMemorySpace("core-pages");
    const notes = new CoreNotesCopy(spaces.notes, front.notes.sizeBytes);
    await readNotes(notes);
    if (!notes.isWhole) lacks.push("the core ends within its notes");
    if (notes.leftOut > 0) lacks.push(`${notes.leftOut} notes of its threads are too many`);
    const { segments, header } = front;
    const files = new MappedFiles(notes.files, segments.pageBytes);
    const maxPages = PAGES_MAX_BYTES / segments.pageBytes;
    const copier = new PageCopier({ memory, segments, files, space: spaces.pages, maxPages });
    const plan: CopyPlan = { copier, segments, files, notes, isArm: header.isArm };
    const copying = copyByPlan(plan);
    copying.catch(() => undefined);
    await within(copying, maxMs, () => {
      lacks.push(`it was held for ${maxMs} ms, and no longer`);
      copier.stop();
    });
    if (copier.isFull) lacks.push(`only ${PAGES_MAX_BYTES >> 20} MiB of memory are kept`);
    const stack = stackPageOf(plan);
    const hasStack = stack !== undefined && copier.read(stack, 8).length > 0;
    if (!hasStack) lacks.push("the crashing thread's stack could not be read");
    const pieces = layOut(header, segments, copier.places, notes.sizeBytes);
    const sizeBytes = pieces.reduce((sum, piece) => sum + sizeOf(piece), 0);
    return {
      pieces,
      ...spaces,
      sizeBytes,
      lacks,
      isWhole: notes.isWhole && notes.threads.length > 0,
    };
  } catch (error) {
    closeSync(spaces.notes);
    if (spaces.pages >= 0) closeSync(spaces.pages);
    throw error;
  } finally {
    memory.close();
  }
}

/** Returns how many bytes a piece has. */
export function sizeOf(piece: Piece): number {
  return piece.kind === "bytes" ? piece.bytes.length : piece.sizeBytes;
}
