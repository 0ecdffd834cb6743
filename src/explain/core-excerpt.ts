// Chooses the parts of a core that are needed to explain it, for a core that can only be read from front to end, as in
// a compressed zip: its head, small segments as a whole, and of large ones what the threads' registers point at.
import type { CoreThread, ElfCore } from "./elf-core.ts";
import { segmentAt } from "./core-memory.ts";

/** A range of the core's bytes. */
export interface CoreRange {
  start: number;
  /** Exclusive. */
  end: number;
}

/** Stacks, data of programs and libraries, the vdso: what is no heap. */
const WHOLE_MAX_BYTES = 8 << 20;
/**
 * The limit of all small segments together; of those that are left out the first page is kept, where the build-id is.
 */
const ALL_WHOLE_MAX_BYTES = 512 << 20;
const PAGE_BYTES = 4096;
/** Around an address in a larger segment: a stack's frames lie above. */
const BELOW_BYTES = 64 << 10;
const ABOVE_BYTES = { crashed: 1 << 20, other: 256 << 10 };

/** Returns offsets in the core, in their order, apart from each other, without the head up to the notes' end. */
export function planExcerpt(core: ElfCore): CoreRange[] {
  let leftBytes = ALL_WHOLE_MAX_BYTES;
  const ranges = core.segments.map(({ offset, fileBytes }): CoreRange => {
    const isWhole = fileBytes <= Math.min(WHOLE_MAX_BYTES, leftBytes);
    const bytes = isWhole ? fileBytes : Math.min(fileBytes, PAGE_BYTES);
    leftBytes -= isWhole ? bytes : 0;
    return { start: offset, end: offset + bytes };
  });
  for (const [index, thread] of core.threads.entries())
    ranges.push(...windowsOf(thread, core, index === 0));
  return joined(ranges.filter(({ start, end }) => end > start));
}

/** Any register of the crashed thread may matter; for another thread its stack is enough. */
function windowsOf({ registers }: CoreThread, core: ElfCore, hasCrashed: boolean): CoreRange[] {
  const { stackPointer, framePointer } = core.architecture;
  const addresses = hasCrashed ? registers : [registers[stackPointer], registers[framePointer]];
  return addresses.flatMap((address) => {
    const segment = address === undefined ? undefined : segmentAt(core.segments, address);
    if (address === undefined || segment === undefined) return [];
    const at = Number(address - segment.address);
    const above = at + (hasCrashed ? ABOVE_BYTES.crashed : ABOVE_BYTES.other);
    return {
      start: segment.offset + Math.max(0, at - BELOW_BYTES),
      end: segment.offset + Math.min(segment.fileBytes, above),
    };
  });
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
