// Gives frames their modules and functions: for every module one pass over its symbols, for all frames of all
// threads that lie in it.
import type { GoFunction } from "./go-pclntab.ts";
import { TEXT_MAX_CHARACTERS } from "./limits.ts";
import { Malformed, orUndefined } from "./malformed.ts";
import type { MappedModule } from "./mapped-modules.ts";
import { shortName } from "./short-name.ts";
import { findSymbols, type SymbolHit } from "./symbol-table.ts";
import type { UnwindContext } from "./unwind-context.ts";
import type { UnwoundFrame } from "./unwinder.ts";
import { hex, type SummaryFrame } from "../model/crash-summary.ts";
import { signalName } from "../model/signal-name.ts";

/** A frame with what is known of its function. */
export interface NamedFrame {
  frame: UnwoundFrame;
  module: MappedModule | undefined;
  /** As found in the symbol table, or null. */
  name: string | null;
  /** Where the function begins, as linked: by its symbol, else by its frame description; null where unknown. */
  functionStart: bigint | null;
  source: string | null;
  /** False for a function that only its own file knows (static), and where it is not known. */
  isExported: boolean;
}

type FoundFunction = Pick<NamedFrame, "source" | "isExported"> & { name: string; start: bigint };

/** Looks up the functions of frames and keeps the results. */
export class FrameSymbols {
  private readonly context: UnwindContext;
  private readonly found = new Map<string, FoundFunction>();
  /** Modules whose symbols could not be read, and why. */
  readonly troubles: { what: string; why: string }[] = [];

  constructor(context: UnwindContext) {
    this.context = context;
  }

  /** Looks up all frames at once; nameOf then knows them. */
  load(frames: readonly UnwoundFrame[]): void {
    const byModule = new Map<MappedModule, Set<bigint>>();
    for (const { lookup } of frames) {
      const module = this.context.modules.at(lookup);
      if (module === undefined || this.found.has(keyOf(module, lookup))) continue;
      const addresses = byModule.get(module) ?? new Set();
      byModule.set(module, addresses.add(lookup));
    }
    for (const [module, addresses] of byModule) this.loadModule(module, [...addresses]);
  }

  nameOf(frame: UnwoundFrame): NamedFrame {
    const module = this.context.modules.at(frame.lookup);
    const found = module === undefined ? undefined : this.found.get(keyOf(module, frame.lookup));
    return {
      frame,
      module,
      name: found?.name ?? null,
      functionStart: found?.start ?? this.describedStart(module, frame.lookup),
      source: found?.source ?? null,
      isExported: found?.isExported ?? false,
    };
  }

  private loadModule(module: MappedModule, addresses: readonly bigint[]): void {
    const { image, bias } = module;
    if (image === undefined) return;
    const linked = addresses.map((address) => BigInt.asUintN(64, address - bias));
    try {
      const own = findSymbols(image, linked, this.context.budget);
      const apart = this.symbolsApart(module, linked, own);
      for (const [index, found] of own.entries()) {
        const hit = found ?? apart[index];
        const address = addresses[index] ?? 0n;
        const go = this.goFunction(module, address);
        const name = hit?.name ?? go?.name;
        if (name === undefined) continue;
        const start = hit?.start ?? BigInt.asUintN(64, (go?.start ?? 0n) - bias);
        const source = go?.source(address) ?? null;
        const isExported = hit?.isExported ?? false;
        this.found.set(keyOf(module, address), { name, start, source, isExported });
      }
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.troubles.push({ what: `symbols of ${module.path}`, why: error.message });
    }
  }

  /** Looks in a separate file, only where the module's own symbols do not name all. */
  private symbolsApart(
    module: MappedModule,
    linked: readonly bigint[],
    own: readonly (SymbolHit | undefined)[],
  ): (SymbolHit | undefined)[] {
    if (!own.includes(undefined)) return [];
    const image = this.context.modules.symbolsOf(module);
    return image === undefined ? [] : findSymbols(image, linked, this.context.budget);
  }

  private goFunction(module: MappedModule, address: bigint): GoFunction | undefined {
    const table = this.context.goTableOf(module);
    return table === undefined ? undefined : orUndefined(() => table.find(address));
  }

  /** Returns where a function begins by its call frame information, which a stripped program has too. */
  private describedStart(module: MappedModule | undefined, lookup: bigint): bigint | null {
    const frames = module === undefined ? undefined : this.context.framesOf(module);
    if (module === undefined || frames === undefined) return null;
    const linked = BigInt.asUintN(64, lookup - module.bias);
    return orUndefined(() => frames.find(linked))?.start ?? null;
  }
}

/** Makes the frame's entry in the summary. */
export function summarizeFrame({
  frame,
  module,
  name,
  functionStart,
  source,
}: NamedFrame): SummaryFrame {
  const linked =
    module === undefined ? null : BigInt.asUintN(64, frame.programCounter - module.bias);
  const readable = name !== null && /^_[ZR]/u.test(name) ? shortName(name) : name;
  return {
    address: hex(frame.programCounter),
    module: module?.path ?? null,
    module_offset: linked === null ? null : hex(linked),
    build_id: module?.buildId ?? null,
    function: name === null ? null : name.slice(0, TEXT_MAX_CHARACTERS),
    demangled: readable === name ? null : readable,
    function_offset:
      linked === null || functionStart === null || name === null
        ? null
        : hex(BigInt.asUintN(64, linked - functionStart)),
    source: source === null ? null : source.slice(0, TEXT_MAX_CHARACTERS),
    trust: frame.trust,
    signal: frame.isSignalFrame
      ? frame.signal === null
        ? "signal"
        : signalName(frame.signal)
      : null,
  };
}

function keyOf(module: MappedModule, address: bigint): string {
  return `${module.start}:${address}`;
}
