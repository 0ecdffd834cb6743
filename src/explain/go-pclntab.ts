// Reads Go's own table of functions (.gopclntab; runtime/symtab.go, Go 1.18 and later): names, source lines and the
// frame's size at every instruction. Every Go program has it, stripped ones too.
import { ByteCursor } from "./byte-cursor.ts";
import type { ElfFile, Section } from "./elf-file.ts";
import { SYMBOL_NAME_MAX_BYTES } from "./limits.ts";
import { untilNul } from "./elf-notes.ts";
import { Malformed } from "./malformed.ts";
import type { ProcessMemory } from "../model/process-memory.ts";

/** By magic number, of Go 1.18 and 1.20: where a function's flags stand in its record. */
const FLAGS_AT: Readonly<Record<number, number>> = { 0xfffffff0: 37, 0xfffffff1: 41 };
const HEADER_BYTES = 72;
const FUNCTIONS_MAX = 4_000_000;
/** One function's steps of a value; the longest seen has a few thousand. */
const VALUE_STEPS_MAX = 100_000;
const VALUE_BYTES = 4096;
const [TOP_FRAME, WRITES_STACK_POINTER] = [1, 2];

/** A function in the table. */
export interface GoFunction {
  name: string;
  /** In the process. */
  start: bigint;
  /** True for the function that a goroutine or thread begins with. */
  isOutermost: boolean;
  /** True for assembler that switches stacks (systemstack): the frame's size then tells nothing. */
  switchesStack: boolean;
  /** Returns the distance from the stack pointer at an address to the return address, in bytes. Throws Malformed. */
  frameBytes(address: bigint): number;
  /** Returns "/src/main.go:12", or null. */
  source(address: bigint): string | null;
}

interface Layout {
  flagsAt: number;
  quantum: number;
  functionCount: number;
  textStart: bigint;
  names: number;
  units: number;
  files: number;
  values: number;
  functions: number;
}

/** The table of one Go program. */
export class GoFunctionTable {
  private readonly image: ElfFile;
  private readonly section: Section;
  private readonly layout: Layout;

  private constructor(image: ElfFile, section: Section, layout: Layout) {
    this.image = image;
    this.section = section;
    this.layout = layout;
  }

  /** Opens the table; undefined for a program that is not Go's. Throws Malformed. */
  static open(image: ElfFile, bias: bigint, memory: ProcessMemory): GoFunctionTable | undefined {
    const { sections } = image;
    const section = sections.get(".gopclntab") ?? sections.get(".data.rel.ro.gopclntab");
    if (section === undefined) return undefined;
    const head = image.readFile(section.offset, HEADER_BYTES);
    const flagsAt = head.length < HEADER_BYTES ? undefined : FLAGS_AT[head.readUInt32LE(0)];
    if (flagsAt === undefined || head[7] !== 8) return undefined;
    const word = (index: number) => Number(head.readBigUInt64LE(8 + index * 8));
    const text = sections.get(".text");
    // The linker leaves it to the loader in position-independent programs: then it stands in memory.
    const mapped = memory.read(BigInt.asUintN(64, section.address + bias), HEADER_BYTES);
    const noted = mapped.length < HEADER_BYTES ? 0n : mapped.readBigUInt64LE(24);
    const textStart = noted !== 0n ? noted : BigInt.asUintN(64, (text?.address ?? 0n) + bias);
    return new GoFunctionTable(image, section, {
      flagsAt,
      quantum: head[6] ?? 1,
      functionCount: Math.min(word(0), FUNCTIONS_MAX),
      textStart,
      names: word(3),
      units: word(4),
      files: word(5),
      values: word(6),
      functions: word(7),
    });
  }

  /** Finds the function at an address in the process. Throws Malformed. */
  find(address: bigint): GoFunction | undefined {
    const { textStart, functionCount } = this.layout;
    const offset = Number(address - textStart);
    if (offset < 0 || offset >= this.entry(functionCount).start) return undefined;
    let [low, high, found] = [0, functionCount - 1, -1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (this.entry(middle).start <= offset) {
        found = middle;
        low = middle + 1;
      } else high = middle - 1;
    }
    return found === -1 ? undefined : this.describe(this.entry(found));
  }

  private entry(index: number): { start: number; record: number } {
    const bytes = this.take(this.layout.functions + index * 8, 8);
    return { start: bytes.readUInt32LE(0), record: bytes.readUInt32LE(4) };
  }

  private describe({ start, record }: { start: number; record: number }): GoFunction {
    const bytes = this.take(this.layout.functions + record, 44);
    const [frames, files, lines] = [
      bytes.readUInt32LE(16),
      bytes.readUInt32LE(20),
      bytes.readUInt32LE(24),
    ];
    const unit = bytes.readUInt32LE(32);
    const flags = bytes[this.layout.flagsAt] ?? 0;
    const startAddress = this.layout.textStart + BigInt(start);
    const valueAt = (table: number, address: bigint) =>
      this.valueAt(table, Number(address - startAddress));
    return {
      name: this.text(this.layout.names + bytes.readInt32LE(4)),
      start: startAddress,
      isOutermost: (flags & TOP_FRAME) !== 0,
      switchesStack: (flags & WRITES_STACK_POINTER) !== 0,
      frameBytes: (address) => valueAt(frames, address),
      source: (address) => {
        try {
          const file = this.fileName(unit, valueAt(files, address));
          return file === "" ? null : `${file}:${valueAt(lines, address)}`;
        } catch (error) {
          if (error instanceof Malformed) return null;
          throw error;
        }
      },
    };
  }

  private fileName(unit: number, index: number): string {
    if (index < 0) return "";
    const offset = this.take(this.layout.units + (unit + index) * 4, 4).readUInt32LE(0);
    return offset === 0xffff_ffff ? "" : this.text(this.layout.files + offset);
  }

  /**
   * Reads a value at a distance from the function's start, from pairs of differences: of the value and of the place.
   */
  private valueAt(table: number, distance: number): number {
    const cursor = new ByteCursor(this.read(this.layout.values + table, VALUE_BYTES));
    let [value, place] = [-1, 0];
    for (let index = 0; index < VALUE_STEPS_MAX; index++) {
      const change = cursor.count();
      if (change === 0 && index > 0) break;
      value += (change & 1) === 0 ? change >>> 1 : -((change >>> 1) + 1);
      place += cursor.count() * this.layout.quantum;
      if (distance < place) return value;
    }
    throw new Malformed("a Go function's table ends before the address");
  }

  private text(offset: number): string {
    return untilNul(this.read(offset, SYMBOL_NAME_MAX_BYTES));
  }

  private take(offset: number, sizeBytes: number): Buffer {
    const bytes = this.read(offset, sizeBytes);
    if (bytes.length < sizeBytes) throw new Malformed("Go's function table is cut short");
    return bytes;
  }

  private read(offset: number, sizeBytes: number): Buffer {
    const length = Math.min(sizeBytes, this.section.sizeBytes - offset);
    return length <= 0
      ? Buffer.alloc(0)
      : this.image.readFile(this.section.offset + offset, length);
  }
}
