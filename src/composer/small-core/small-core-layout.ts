// Lays out a small core: ELF header, program headers, notes, and the pages that were copied, each run of them a segment
// of its own. What the kernel would have written of the memory and this core lacks has no segment, so that a debugger
// reports it as not there, rather than as zeros.
import type { CoreHeader } from "./core-front.ts";
import { HEADER_BYTES, SEGMENT_BYTES } from "./core-front.ts";
import { isExecutable, type CoreSegment, type CoreSegments } from "./core-segments.ts";
import { MISSING, ZEROS } from "./page-copier.ts";

const [PT_LOAD, PT_NOTE, NOTE_ALIGN] = [1, 4, 4];
/** The number of program headers has 16 bits, and 0xffff means that it stands elsewhere. */
const SEGMENTS_MAX = 65_534;

/** Some bytes of the core. */
export type Piece =
  | { kind: "bytes"; bytes: Buffer }
  | { kind: "notes" | "pages"; position: number; sizeBytes: number }
  | { kind: "zeros"; sizeBytes: number };

interface Row {
  start: number;
  filePages: number;
  memoryPages: number;
  flags: number;
}

/** Returns the core's pieces in their order. `places` are the pages that were copied (page-copier.ts). */
export function layOut(
  header: CoreHeader,
  segments: CoreSegments,
  places: ReadonlyMap<number, number>,
  notesBytes: number,
): Piece[] {
  const { pageBytes } = segments;
  const kept = [...places].filter(([, place]) => place !== MISSING).map(([page]) => page);
  const pages = Float64Array.from(kept).sort();
  const rows = rowsOf(segments, pages);
  const headBytes = HEADER_BYTES + (rows.length + 1) * SEGMENT_BYTES;
  const filler = (pageBytes - ((headBytes + notesBytes) % pageBytes)) % pageBytes;
  const head = formatHead(header, rows, notesBytes, headBytes + notesBytes + filler, pageBytes);
  return [
    { kind: "bytes", bytes: head },
    { kind: "notes", position: 0, sizeBytes: notesBytes },
    { kind: "zeros", sizeBytes: filler },
    ...pagePieces(pages, places, pageBytes),
  ];
}

/** Of the segments without any bytes those go first that hold no code, where there are too many. */
function rowsOf(segments: CoreSegments, pages: Float64Array): Row[] {
  const found: Row[] = [];
  let next = 0;
  for (let index = 0; index < segments.length; index++) {
    const segment = segments.at(index);
    while ((pages[next] ?? Infinity) < segment.start) next++;
    const first = next;
    while ((pages[next] ?? Infinity) < segment.fileEnd) next++;
    addRows(segment, pages.subarray(first, next), found);
  }
  const candidates = [
    found,
    found.filter(({ filePages, flags }) => filePages > 0 || isExecutable({ flags })),
    found.filter(({ filePages }) => filePages > 0),
  ];
  return candidates.find(({ length }) => length < SEGMENTS_MAX) ?? found.slice(0, SEGMENTS_MAX - 1);
}

function addRows({ start, end, fileEnd, flags }: CoreSegment, pages: Float64Array, into: Row[]) {
  const row = (from: number, filePages: number, memoryPages: number) =>
    into.push({ start: from, filePages, memoryPages, flags });
  const hasCode = isExecutable({ flags });
  let at = start;
  for (let index = 0; index < pages.length;) {
    const first = pages[index] ?? 0;
    let count = 1;
    while (pages[index + count] === first + count) count++;
    // A debugger should still know where code is.
    if (hasCode && first > at) row(at, 0, first - at);
    // Behind what the kernel would write there may be memory that it leaves out, as here.
    row(first, count, first + count === fileEnd ? end - first : count);
    at = first + count;
    index += count;
  }
  const isWhole = at === fileEnd && pages.length > 0;
  if (!isWhole && (hasCode || fileEnd === start) && end > at) row(at, 0, end - at);
}

function formatHead(
  header: CoreHeader,
  rows: readonly Row[],
  notesBytes: number,
  pagesOffset: number,
  pageBytes: number,
): Buffer {
  const head = Buffer.alloc(HEADER_BYTES + (rows.length + 1) * SEGMENT_BYTES);
  header.bytes.copy(head);
  head.writeBigUInt64LE(BigInt(HEADER_BYTES), 32); // e_phoff
  head.writeBigUInt64LE(0n, 40); // e_shoff
  head.writeUInt16LE(rows.length + 1, 56); // e_phnum
  head.fill(0, 60, 64); // e_shnum, e_shstrndx
  const notesOffset = HEADER_BYTES + (rows.length + 1) * SEGMENT_BYTES;
  writeSegment(head, HEADER_BYTES, {
    type: PT_NOTE,
    offset: notesOffset,
    fileBytes: notesBytes,
    align: NOTE_ALIGN,
  });
  let offset = pagesOffset;
  for (const [index, { start, filePages, memoryPages, flags }] of rows.entries()) {
    const fileBytes = filePages * pageBytes;
    writeSegment(head, HEADER_BYTES + (index + 1) * SEGMENT_BYTES, {
      type: PT_LOAD,
      flags,
      offset,
      address: BigInt(start) * BigInt(pageBytes),
      fileBytes,
      memoryBytes: BigInt(memoryPages) * BigInt(pageBytes),
      align: pageBytes,
    });
    offset += fileBytes;
  }
  return head;
}

interface SegmentFields {
  type: number;
  flags?: number;
  offset: number;
  address?: bigint;
  fileBytes: number;
  memoryBytes?: bigint;
  align: number;
}

function writeSegment(into: Buffer, at: number, fields: SegmentFields): void {
  const { type, flags = 0, offset, address = 0n, fileBytes, memoryBytes = 0n, align } = fields;
  into.writeUInt32LE(type, at);
  into.writeUInt32LE(flags, at + 4);
  into.writeBigUInt64LE(BigInt(offset), at + 8);
  into.writeBigUInt64LE(address, at + 16);
  into.writeBigUInt64LE(BigInt(fileBytes), at + 32);
  into.writeBigUInt64LE(memoryBytes, at + 40);
  into.writeBigUInt64LE(BigInt(align), at + 48);
}

/** Pages that stand one after the other in the file are one piece. */
function pagePieces(
  pages: Float64Array,
  places: ReadonlyMap<number, number>,
  pageBytes: number,
): Piece[] {
  const pieces: Piece[] = [];
  for (const page of pages) {
    const place = places.get(page) ?? ZEROS;
    const last = pieces.at(-1);
    if (place === ZEROS) {
      if (last?.kind === "zeros") last.sizeBytes += pageBytes;
      else pieces.push({ kind: "zeros", sizeBytes: pageBytes });
    } else if (last?.kind === "pages" && last.position + last.sizeBytes === place * pageBytes) {
      last.sizeBytes += pageBytes;
    } else pieces.push({ kind: "pages", position: place * pageBytes, sizeBytes: pageBytes });
  }
  return pieces;
}
