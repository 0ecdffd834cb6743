// A core as src/explain sees it, every thread in full, and how far that agrees with what gdb sees.
import { openCoreMemory } from "../../src/explain/core-memory.ts";
import { parseElfCore } from "../../src/explain/elf-core.ts";
import { FrameSymbols, type NamedFrame } from "../../src/explain/frame-symbols.ts";
import { FRAMES_MAX } from "../../src/explain/limits.ts";
import { MappedModules } from "../../src/explain/mapped-modules.ts";
import { UnwindContext } from "../../src/explain/unwind-context.ts";
import { unwind } from "../../src/explain/unwinder.ts";
import { openFileBytes } from "../../src/host/file-bytes.ts";
import { openLocalModules } from "../../src/host/local-modules.ts";
import type { DebuggedThread } from "./debugged-core.ts";

export interface UnwoundThread {
  tid: number;
  frames: NamedFrame[];
}

export function unwindCore(path: string): UnwoundThread[] {
  const bytes = openFileBytes(path);
  const core = parseElfCore(bytes);
  const memory = openCoreMemory(bytes, core.segments);
  const modules = openLocalModules({});
  try {
    const context = new UnwindContext(core, memory, new MappedModules(core, memory, modules));
    const stacks = core.threads.map((thread) => unwind(thread, context).frames);
    const symbols = new FrameSymbols(context);
    symbols.load(stacks.flat());
    return core.threads.map(({ tid }, index) => ({
      tid,
      frames: (stacks[index] ?? []).map((frame) => symbols.nameOf(frame)),
    }));
  } finally {
    modules.close();
    bytes.close();
  }
}

export interface Agreement {
  agreed: number;
  threads: number;
  /** A line for each thread that differs: where, and both continuations. */
  differences: string[];
}

/** The same frames in the same order, for each of our threads. */
export function compareStacks(
  ours: readonly UnwoundThread[],
  theirs: readonly DebuggedThread[],
): Agreement {
  const differences = ours.flatMap(({ tid, frames }) => {
    const mine = frames.map(({ frame }) => `0x${frame.programCounter.toString(16)}`);
    const debugged = withoutTheEnd(theirs.find((thread) => thread.tid === tid)?.frames ?? []);
    const other = debugged.slice(0, FRAMES_MAX).map(({ address }) => address);
    const at = mine.findIndex((address, index) => address !== other[index]);
    if (at === -1 && mine.length === other.length) return [];
    const place = at === -1 ? mine.length : at;
    return [
      `${tid} #${place}: ${mine[place]} ${frames[place]?.name}, gdb ${other[place]} ${debugged[place]?.name}`,
    ];
  });
  return { agreed: ours.length - differences.length, threads: ours.length, differences };
}

/** gdb goes on past Go's outermost functions, to what it finds there. */
function withoutTheEnd(frames: DebuggedThread["frames"]): DebuggedThread["frames"] {
  const last = frames.findIndex(({ name }) =>
    /^runtime\.(?:goexit|mcall|mstart|rt0_go)(?:\.abi0)?$/u.test(name ?? ""),
  );
  return last === -1 ? frames : frames.slice(0, last + 1);
}

/** Names of functions of ours, in a program's own code, that differ from gdb's. */
export function differingNames(
  ours: readonly UnwoundThread[],
  theirs: readonly DebuggedThread[],
  program: string,
): string[] {
  return ours.flatMap(({ tid, frames }) => {
    const debugged = theirs.find((thread) => thread.tid === tid)?.frames ?? [];
    return frames.flatMap(({ name, module, frame }, index) => {
      const other = debugged[index];
      if (module?.path !== program || frame.isSignalFrame || other === undefined) return [];
      return plain(name) === plain(other.name) ? [] : [`${name} is ${other.name} in gdb`];
    });
  });
}

/** Aliases and parts of one function; the C library's have several names for the same address. */
function plain(name: string | null): string {
  return (name ?? "").replace(/^(?:__GI_)?_*|(?:\.(?:part|isra|constprop|cold)(?:\.\d+)?)+$/gu, "");
}
