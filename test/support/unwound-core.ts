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

/** gdb goes on past Go's outermost functions, to what it finds there, and has a frame at address 0 where a chain ends. */
function withoutTheEnd(frames: DebuggedThread["frames"]): DebuggedThread["frames"] {
  const last = frames.findIndex(({ name }) =>
    /^runtime\.(?:goexit|mcall|mstart|rt0_go)(?:\.abi0)?$/u.test(name ?? ""),
  );
  const kept = last === -1 ? frames : frames.slice(0, last + 1);
  const end = kept.findIndex(({ address }, index) => index > 0 && address === "0x0");
  return end === -1 ? kept : kept.slice(0, end);
}

/** Names of functions of ours, in a program's own code, that differ from gdb's for the same frame. */
export async function differingNames(
  ours: readonly UnwoundThread[],
  theirs: readonly DebuggedThread[],
  program: string,
): Promise<string[]> {
  const pairs = ours.flatMap(({ tid, frames }) => {
    const debugged = theirs.find((thread) => thread.tid === tid)?.frames ?? [];
    return frames.flatMap(({ name, module, frame }, index) => {
      const other = debugged[index];
      const isSame = other?.address === `0x${frame.programCounter.toString(16)}`;
      if (module?.path !== program || frame.isSignalFrame || other === undefined || !isSame)
        return [];
      return other.name === null ? [] : [{ name: name ?? "", other: other.name }];
    });
  });
  const readable = await demangle(pairs.map(({ name }) => name));
  return pairs.flatMap(({ name, other }, index) =>
    plain(readable[index] ?? "") === plain(other) ? [] : [`${name} is ${other} in gdb`],
  );
}

/** By binutils, which gdb's demangler is one with. */
async function demangle(names: readonly string[]): Promise<string[]> {
  const input = new Blob([names.map((name) => `${name}\n`).join("")]);
  const child = Bun.spawn(["c++filt"], { stdin: input, stderr: "inherit" });
  return (await child.stdout.text()).split("\n");
}

/**
 * The last part of a name, as gdb may have it from debug information and we from a symbol: without types, parameters,
 * hashes and the marks of parts. The C library's functions have several names for the same address.
 */
export function plain(name: string): string {
  let bare = name.replace(/::h[0-9a-f]{16}$|(?:\.abi0)$/gu, "").replace(/ const$/u, "");
  for (let before = ""; before !== bare;) {
    before = bare;
    bare = bare.replace(/<[^<>]*>|\([^()]*\)|\[[^[\]]*\]|\{[^{}]*\}/gu, "");
  }
  const last = bare.split("::").findLast((part) => part.trim() !== "") ?? "";
  return last.replace(/^(?:__GI_)?_*|(?:\.(?:part|isra|constprop|cold)(?:\.\d+)?)+$/gu, "").trim();
}
