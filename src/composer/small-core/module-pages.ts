// What a small core has of the program, its libraries and the vdso: their headers, their variables, and the list by which
// a debugger finds them.
import { pageOf, type CopyPlan } from "./copy-plan.ts";
import { isWritable } from "./core-segments.ts";
import { takeLinkMap } from "./link-map.ts";

const MIB = 1 << 20;
const PROGRAM_DATA_BYTES = 8 * MIB;
const LIBRARY_DATA_BYTES = MIB;
const LIBRARIES_BYTES = 16 * MIB;
const VDSO_PAGES_MAX = 16;
/** The first pages of modules. */
const SMALL_SEGMENT_PAGES = 2;
const SMALL_SEGMENTS_MAX = 4096;
const [AT_PHDR, AT_SYSINFO_EHDR] = [3n, 33n];

/** What the program and its libraries keep, and the list by which a debugger finds them. */
export async function takeModules(plan: CopyPlan): Promise<void> {
  const { copier, segments, files, notes } = plan;
  const program = notes.auxiliary.get(AT_PHDR);
  if (program !== undefined) {
    await takeData(plan, pageOf(plan, program), PROGRAM_DATA_BYTES);
    await takeLinkMap(copier, segments, program);
  }
  let left = LIBRARIES_BYTES;
  for (const beginning of files.beginnings) {
    if (left <= 0) return;
    left -= await takeData(plan, beginning, Math.min(LIBRARY_DATA_BYTES, left));
  }
}

/** The kernel's own page of code, where signal handlers return to. */
export async function takeVdso(plan: CopyPlan): Promise<void> {
  const { copier, segments, notes } = plan;
  const index = segments.find(pageOf(plan, notes.auxiliary.get(AT_SYSINFO_EHDR) ?? 0n));
  if (index < 0) return;
  const { start, fileEnd } = segments.at(index);
  await copier.take(start, Math.min(fileEnd, start + VDSO_PAGES_MAX), true);
}

/** Segments of a page or two, such as a module's first page: its headers and its build-id. */
export async function takeSmallSegments({ copier, segments }: CopyPlan): Promise<void> {
  let taken = 0;
  for (let index = 0; index < segments.length && taken < SMALL_SEGMENTS_MAX; index++) {
    const { start, fileEnd } = segments.at(index);
    if (fileEnd === start || fileEnd - start > SMALL_SEGMENT_PAGES) continue;
    await copier.take(start, fileEnd);
    taken++;
  }
}

/**
 * What a module may write to: its segments from `beginning` on, one right behind the other, with its variables that
 * begin as zeros. Returns how many bytes were kept.
 */
async function takeData(plan: CopyPlan, beginning: number, maxBytes: number): Promise<number> {
  const { copier, segments, files } = plan;
  const before = copier.kept;
  let left = Math.floor(maxBytes / segments.pageBytes);
  const first = segments.before(beginning);
  let end = first < 0 ? 0 : segments.at(first).start;
  for (let index = Math.max(0, first); index < segments.length && left > 0; index++) {
    const segment = segments.at(index);
    const isNext = index > first && files.beginnings.has(segment.start);
    if (segment.start !== end || isNext) break;
    if (isWritable(segment)) {
      const taken = Math.min(segment.fileEnd - segment.start, left);
      await copier.take(segment.start, segment.start + taken);
      left -= taken;
    }
    end = segment.end;
  }
  return (copier.kept - before) * segments.pageBytes;
}
