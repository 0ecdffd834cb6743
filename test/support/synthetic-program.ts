// An ELF program that never was: code, call frame information and symbols as a test needs them, at 0x400000.
import type { Machine } from "../../src/explain/elf-header.ts";
import { words } from "./synthetic-core.ts";

export const PROGRAM = 0x40_0000n;
const CODE_AT = 0x1000;

export interface SyntheticFunction {
  name: string;
  /** Of its code, in bytes. */
  size: number;
  /** Call frame instructions; "" for none at all. In hexadecimal, spaces where they help. */
  frame?: string;
  /** st_size, where it is not the code's. */
  symbolSize?: number;
}

export interface SyntheticProgram {
  machine?: Machine;
  functions: readonly SyntheticFunction[];
  /** Symbols beside those of the functions. */
  symbols?: readonly { name: string; address: bigint; size: number }[];
  code?: Buffer;
}

/** Where a function's code begins. */
export function addressOf({ functions }: SyntheticProgram, name: string): bigint {
  let address = PROGRAM + BigInt(CODE_AT);
  for (const { name: other, size } of functions) {
    if (other === name) return address;
    address += BigInt(size);
  }
  throw new Error(`no function ${name}`);
}

export function syntheticProgram(shape: SyntheticProgram): Buffer {
  const { machine = "x86_64", functions, symbols = [] } = shape;
  const codeBytes = functions.reduce((sum, { size }) => sum + size, 0);
  const code = Buffer.alloc(codeBytes, 0x90);
  shape.code?.copy(code);
  const frames = ehFrame(shape, machine);
  const names = ["", ...functions.map(({ name }) => name), ...symbols.map(({ name }) => name)];
  const strings = Buffer.from(names.map((name) => `${name}\0`).join(""), "latin1");
  const table = symbolTable(shape, names);
  const sectionNames = Buffer.from("\0.eh_frame\0.symtab\0.strtab\0.shstrtab\0");
  const framesAt = CODE_AT + codeBytes;
  const tableAt = framesAt + frames.length;
  const stringsAt = tableAt + table.length;
  const sectionNamesAt = stringsAt + strings.length;
  const end = sectionNamesAt + sectionNames.length;
  const head = Buffer.alloc(CODE_AT);
  head.write("\x7fELF\x02\x01\x01", "latin1");
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(machine === "x86_64" ? 62 : 183, 18);
  head.writeBigUInt64LE(64n, 32);
  head.writeBigUInt64LE(BigInt(end), 40);
  for (const [at, value] of [
    [54, 56],
    [56, 1],
    [58, 64],
    [60, 5],
    [62, 4],
  ] as const)
    head.writeUInt16LE(value, at);
  const loaded = BigInt(CODE_AT + codeBytes + frames.length);
  head.writeUInt32LE(1, 64);
  head.writeUInt32LE(5, 68);
  words([0n, PROGRAM, PROGRAM, loaded, loaded, 4096n]).copy(head, 72);
  const sections = Buffer.concat([
    section({}),
    section({
      name: 1,
      type: 1,
      address: PROGRAM + BigInt(framesAt),
      offset: framesAt,
      size: frames.length,
    }),
    section({ name: 11, type: 2, offset: tableAt, size: table.length, link: 3 }),
    section({ name: 19, type: 3, offset: stringsAt, size: strings.length }),
    section({ name: 27, type: 3, offset: sectionNamesAt, size: sectionNames.length }),
  ]);
  return Buffer.concat([head, code, frames, table, strings, sectionNames, sections]);
}

function ehFrame(shape: SyntheticProgram, machine: Machine): Buffer {
  // Version 1, "zR"; code alignment 1, data alignment -8, the return address's column; pointers are absolute.
  const column = machine === "x86_64" ? "10" : "1e";
  const initial = machine === "x86_64" ? "0c07089001" : "0c1f00";
  const cie = entry(Buffer.from(`00000000017a52000178${column}0100${initial}`, "hex"));
  const entries = [cie];
  let at = cie.length;
  for (const { name, size, frame = "" } of shape.functions) {
    if (frame === "") continue;
    const body = Buffer.alloc(4 + 16 + 1);
    body.writeUInt32LE(at + 4, 0);
    body.writeBigUInt64LE(addressOf(shape, name), 4);
    body.writeBigUInt64LE(BigInt(size), 12);
    const fde = entry(Buffer.concat([body, Buffer.from(frame.replaceAll(" ", ""), "hex")]));
    entries.push(fde);
    at += fde.length;
  }
  return Buffer.concat([...entries, Buffer.alloc(4)]);
}

/** Its length before it, DW_CFA_nop behind it. */
function entry(body: Buffer): Buffer {
  const padded = Math.ceil((body.length + 4) / 8) * 8 - 4;
  const bytes = Buffer.alloc(4 + padded);
  bytes.writeUInt32LE(padded, 0);
  body.copy(bytes, 4);
  return bytes;
}

function symbolTable(shape: SyntheticProgram, names: readonly string[]): Buffer {
  const all = [
    ...shape.functions.map(({ name, size, symbolSize = size }) => ({
      address: addressOf(shape, name),
      size: symbolSize,
    })),
    ...(shape.symbols ?? []),
  ];
  const table = Buffer.alloc(24 * (all.length + 1));
  let nameAt = 1;
  for (const [index, { address, size }] of all.entries()) {
    const at = 24 * (index + 1);
    table.writeUInt32LE(nameAt, at);
    table[at + 4] = 0x12;
    table.writeUInt16LE(1, at + 6);
    table.writeBigUInt64LE(address, at + 8);
    table.writeBigUInt64LE(BigInt(size), at + 16);
    nameAt += (names[index + 1]?.length ?? 0) + 1;
  }
  return table;
}

interface SectionFields {
  name?: number;
  type?: number;
  address?: bigint;
  offset?: number;
  size?: number;
  link?: number;
}

function section({
  name = 0,
  type = 0,
  address = 0n,
  offset = 0,
  size = 0,
  link = 0,
}: SectionFields): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.writeUInt32LE(name, 0);
  bytes.writeUInt32LE(type, 4);
  words([0n, address, BigInt(offset), BigInt(size)]).copy(bytes, 8);
  bytes.writeUInt32LE(link, 40);
  return bytes;
}
