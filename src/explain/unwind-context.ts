// Holds what every step of the unwinder looks at: the process's memory, its modules, and what may be code.
import type { Architecture, Registers } from "./architecture.ts";
import { CALL_MAX_BYTES } from "./architecture.ts";
import { readWord, segmentAt } from "./core-memory.ts";
import { EhFrame } from "./eh-frame.ts";
import type { ElfCore } from "./elf-core.ts";
import { PF_X } from "./elf-header.ts";
import { GoFunctionTable } from "./go-pclntab.ts";
import { openWholeMemory, type MappedModule, type MappedModules } from "./mapped-modules.ts";
import { orUndefined } from "./malformed.ts";
import { findSymbols } from "./symbol-table.ts";
import { WorkBudget } from "./work-budget.ts";
import type { ProcessMemory } from "../model/process-memory.ts";

/** Where one frame stands: the registers as its function sees them. */
export interface FrameState {
  registers: Registers;
  programCounter: bigint;
  /** False behind a call: the program counter is the instruction after it, perhaps another function's. */
  isExact: boolean;
}

/** Returns the address to look up in tables. */
export function lookupAddress({ programCounter, isExact }: FrameState): bigint {
  return isExact ? programCounter : programCounter - 1n;
}

/** No program is mapped below: a null pointer with an offset at most. */
export const LOWEST_CODE = 4096n;

/** The process, with what the steps have learned about its modules. */
export class UnwindContext {
  readonly architecture: Architecture;
  readonly modules: MappedModules;
  readonly memory: ProcessMemory;
  readonly budget = new WorkBudget();
  private readonly core: ElfCore;
  private readonly frames = new Map<MappedModule, EhFrame | undefined>();
  private readonly starts = new Map<bigint, bigint | undefined>();
  private readonly goTables = new Map<MappedModule, GoFunctionTable | undefined>();

  constructor(core: ElfCore, memory: ProcessMemory, modules: MappedModules) {
    this.core = core;
    this.architecture = core.architecture;
    this.modules = modules;
    this.memory = openWholeMemory(memory, modules);
  }

  word(address: bigint): bigint | undefined {
    return readWord(this.memory, address);
  }

  /** gdb's own cores have no segment for a mapped file's code; then the file shows what is code. */
  isExecutable(address: bigint): boolean {
    const segment = segmentAt(this.core.segments, address);
    if (segment !== undefined) return (segment.flags & PF_X) !== 0;
    const module = this.modules.at(address);
    return module?.image?.isExecutable(BigInt.asUintN(64, address - module.bias)) ?? false;
  }

  /** Returns a code address without the signature that pointer authentication puts into its upper bits. */
  codeAddress(address: bigint): bigint {
    return BigInt.asUintN(64, address & ~this.core.authenticationMask);
  }

  isInSameSegment(first: bigint, second: bigint): boolean {
    const segment = segmentAt(this.core.segments, first);
    return segment !== undefined && segment === segmentAt(this.core.segments, second);
  }

  /** Returns whether an address may be a return address: executable, and behind a call where the code can be read. */
  isReturnAddress(address: bigint): boolean {
    if (address < LOWEST_CODE || !this.isExecutable(address)) return false;
    const before = this.memory.read(address - BigInt(CALL_MAX_BYTES), CALL_MAX_BYTES);
    if (before.length === CALL_MAX_BYTES) return this.architecture.endsInCall(before);
    return this.modules.at(address - 1n) !== undefined;
  }

  /**
   * Returns whether code is in no file, as a JIT makes it. An interpreter made so returns to places that no call stands
   * before.
   */
  isGenerated(address: bigint): boolean {
    return this.modules.at(address) === undefined && this.isExecutable(address);
  }

  /** Returns where the function at an address begins by its symbol, in the process; undefined without one. */
  functionStart(address: bigint): bigint | undefined {
    if (this.starts.has(address)) return this.starts.get(address);
    const module = this.modules.at(address);
    const image = module?.image;
    const hit =
      module === undefined || image === undefined
        ? undefined
        : orUndefined(() =>
            findSymbols(image, [BigInt.asUintN(64, address - module.bias)], this.budget),
          )?.[0];
    const start = hit === undefined || module === undefined ? undefined : hit.start + module.bias;
    this.starts.set(address, start);
    return start;
  }

  framesOf(module: MappedModule): EhFrame | undefined {
    const known = this.frames.get(module);
    if (known !== undefined || this.frames.has(module)) return known;
    const frames = module.image === undefined ? undefined : new EhFrame(module.image, this.budget);
    this.frames.set(module, frames);
    return frames;
  }

  goTableOf(module: MappedModule): GoFunctionTable | undefined {
    const known = this.goTables.get(module);
    if (known !== undefined || this.goTables.has(module)) return known;
    const { image, bias } = module;
    const table =
      image === undefined
        ? undefined
        : orUndefined(() => GoFunctionTable.open(image, bias, this.memory));
    this.goTables.set(module, table);
    return table;
  }
}
