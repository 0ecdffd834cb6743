// Which parts of a core are needed to explain it: for a core that can only be read from front to end, as in a
// compressed zip. Its head, small segments as a whole, and of large ones what the threads' registers point at.
import type { ElfCore } from "./elf-core.ts";
import { segmentAt } from "./core-memory.ts";

export interface CoreRange {
  start: number;
  /** Exclusive. */
  end: number;
}

/** Stacks, data of programs and libraries, the vdso: what is no heap. */
const WHOLE_MAX_BYTES = 8 << 20;
/** Of a larger segment around each address: a stack's frames lie above. */
const [BELOW_BYTES, ABOVE_BYTES] = [64 << 10, 1 << 20];
/** The first page of a program has its build-id. */
const HEAD_BYTES = 64 << 10;

/** Offsets in the core, in their order, apart from each other. The head up to the notes' end is not in them. */
export function planExcerpt(core: ElfCore): CoreRange[] {
  const ranges: CoreRange[] = core.segments.map(({ offset, fileBytes }) => ({
    start: offset,
    end: offset + Math.min(fileBytes, fileBytes > WHOLE_MAX_BYTES ? HEAD_BYTES : fileBytes),
  }));
  for (const { registers } of core.threads)
    for (const value of registers) {
      const segment = value === undefined ? undefined : segmentAt(core.segments, value);
      if (value === undefined || segment === undefined) continue;
      const at = Number(value - segment.address);
      ranges.push({
        start: segment.offset + Math.max(0, at - BELOW_BYTES),
        end: segment.offset + Math.min(segment.fileBytes, at + ABOVE_BYTES),
      });
    }
  return joined(ranges.filter(({ start, end }) => end > start));
}

function joined(ranges: readonly CoreRange[]): CoreRange[] {
  const apart: CoreRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = apart.at(-1);
    if (last === undefined || range.start > last.end) apart.push({ ...range });
    else last.end = Math.max(last.end, range.end);
  }
  return apart;
}
