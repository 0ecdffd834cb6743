// What lies where in the process's memory, for a picture of it: its program and libraries, the heap, the stacks, and
// the largest of what has no name. Comes from the core's program headers and its list of mapped files.
import type { ElfCore } from "./elf-core.ts";
import { PF_W, PF_X } from "./elf-header.ts";
import { TEXT_MAX_CHARACTERS } from "./limits.ts";
import type { MappedModule } from "./mapped-modules.ts";
import { hex, type AreaKind, type SummaryArea } from "../model/crash-summary.ts";

const AREAS_MAX = 160;
/** How far above the program the kernel begins the heap at most (mm/util.c, arch_randomize_brk: 1 GiB on aarch64). */
const HEAP_GAP_MAX = 1n << 31n;

interface Area {
  start: bigint;
  end: bigint;
  kind: AreaKind;
  name: string | null;
}

/** Returns the areas by address. */
export function memoryAreas(
  core: ElfCore,
  modules: readonly MappedModule[],
  program: MappedModule | undefined,
): SummaryArea[] {
  const files = modules.map((module): Area => {
    const kind = module === program ? "program" : "library";
    return { start: module.start, end: module.end, kind, name: module.path };
  });
  const others = anonymousAreas(core, modules, program);
  return largest([...files, ...others])
    .sort((a, b) => (a.start < b.start ? -1 : 1))
    .map(({ start, end, kind, name }) => ({
      start: hex(start),
      end: hex(end),
      kind,
      name: name?.slice(0, TEXT_MAX_CHARACTERS) ?? null,
    }));
}

/** What has memory and is in no file; neighbours of one kind are one area. */
function anonymousAreas(
  core: ElfCore,
  modules: readonly MappedModule[],
  program: MappedModule | undefined,
): Area[] {
  const pointers = stackPointers(core);
  const areas: Area[] = [];
  let [nextModule, nextPointer] = [0, 0];
  let isHeapFound = false;
  for (const { address: start, memoryBytes, flags } of core.segments) {
    // Nobody may touch it: a guard, between the stacks of threads for one.
    if (flags === 0) continue;
    const end = start + memoryBytes;
    while ((modules[nextModule]?.end ?? end + 1n) <= start) nextModule++;
    if ((modules[nextModule]?.start ?? end) < end) continue;
    while ((pointers[nextPointer]?.at ?? end) < start) nextPointer++;
    const pointer = pointers[nextPointer];
    const isStack = pointer !== undefined && pointer.at < end;
    const isWritten = (flags & PF_W) !== 0 && (flags & PF_X) === 0;
    const isHeap: boolean =
      !isStack && !isHeapFound && isWritten && program !== undefined && isAbove(start, program);
    isHeapFound ||= isHeap;
    const kind = isStack ? "stack" : isHeap ? "heap" : "anonymous";
    const name = isStack ? `thread ${pointer.tid}` : null;
    const last = areas.at(-1);
    if (last !== undefined && last.end === start && last.kind === kind && !isStack) last.end = end;
    else areas.push({ start, end, kind, name });
  }
  return areas;
}

function isAbove(start: bigint, { end }: MappedModule): boolean {
  return start >= end && start - end < HEAP_GAP_MAX;
}

function stackPointers({ threads, architecture }: ElfCore): { at: bigint; tid: number }[] {
  return threads
    .flatMap(({ tid, registers }) => {
      const pointer = registers[architecture.stackPointer];
      return pointer === undefined ? [] : [{ at: pointer, tid }];
    })
    .sort((a, b) => (a.at < b.at ? -1 : 1));
}

/** Whatever has a name comes first; then by size. */
function largest(areas: Area[]): Area[] {
  if (areas.length <= AREAS_MAX) return areas;
  const rank = ({ kind }: Area) =>
    ["program", "heap", "stack", "library", "anonymous"].indexOf(kind);
  const size = ({ start, end }: Area) => end - start;
  return areas
    .sort((a, b) => rank(a) - rank(b) || (size(a) > size(b) ? -1 : 1))
    .slice(0, AREAS_MAX);
}
