// Tells whether an instruction read or wrote memory, by the first bytes of its machine code, for the common ones: the
// kernel's error code, which knows it, is not in a core.
import type { Machine } from "./elf-header.ts";

export type Access = "read" | "write" | "access";

/** Returns what the instruction at the start of `code` does to memory, for the common instructions. */
export function accessOf(code: Buffer, machine: Machine): Access {
  return machine === "x86_64" ? accessOfX86(code) : accessOfArm(code);
}

const PREFIXES = new Set([0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65]);
/** mov, and arithmetic, to memory; stos. */
const WRITES = new Set([
  0x88, 0x89, 0xc6, 0xc7, 0xaa, 0xab, 0x00, 0x01, 0x08, 0x09, 0x20, 0x21, 0x28, 0x29, 0x30, 0x31,
  0xfe,
]);
/** mov, cmp, test and arithmetic from memory; lods, scas, cmps. */
const READS = new Set([
  0x8a, 0x8b, 0x63, 0x38, 0x39, 0x3a, 0x3b, 0x84, 0x85, 0x02, 0x03, 0x0a, 0x0b, 0x22, 0x23, 0x2a,
  0x2b, 0x32, 0x33, 0xac, 0xad, 0xae, 0xaf, 0xa6, 0xa7, 0xf6, 0xf7, 0xff,
]);
const LONG_WRITES = new Set([0x11, 0x13, 0x17, 0x29, 0x2b, 0x7f, 0xd6, 0xe7, 0xc3]);
const LONG_READS = new Set([
  0x10, 0x12, 0x16, 0x28, 0x6f, 0x6e, 0x7e, 0xb6, 0xb7, 0xbe, 0xbf, 0x2a, 0x2e, 0x2f, 0x74, 0x75,
  0x76, 0xd7,
]);

function accessOfX86(code: Buffer): Access {
  let at = 0;
  while (at < code.length && PREFIXES.has(code[at] ?? 0)) at++;
  if (((code[at] ?? 0) & 0xf0) === 0x40) at++;
  const operation = code[at];
  if (operation === undefined) return "access";
  if (operation === 0x0f) return accessIn(code[at + 1] ?? 0, LONG_READS, LONG_WRITES);
  // VEX and EVEX: AVX moves have the same numbers as SSE's.
  if (operation === 0xc5) return accessIn(code[at + 2] ?? 0, LONG_READS, LONG_WRITES);
  if (operation === 0xc4) return accessIn(code[at + 3] ?? 0, LONG_READS, LONG_WRITES);
  if (operation === 0x62) return accessIn(code[at + 4] ?? 0, LONG_READS, LONG_WRITES);
  // Arithmetic with a constant: cmp (/7) reads, the others write.
  if (operation === 0x80 || operation === 0x81 || operation === 0x83)
    return (((code[at + 1] ?? 0) >> 3) & 7) === 7 ? "read" : "write";
  return accessIn(operation, READS, WRITES);
}

function accessIn(
  operation: number,
  reads: ReadonlySet<number>,
  writes: ReadonlySet<number>,
): Access {
  if (writes.has(operation)) return "write";
  return reads.has(operation) ? "read" : "access";
}

/**
 * Returns whether an instruction loads or stores: bit 27 set, bit 25 clear (C4.1.66 of the Arm Architecture Reference
 * Manual).
 */
function accessOfArm(code: Buffer): Access {
  if (code.length < 4) return "access";
  const word = code.readUInt32LE(0);
  if ((word & 0x0a00_0000) >>> 0 !== 0x0800_0000) return "access";
  const isLiteral = (word & 0x3b00_0000) === 0x1800_0000;
  if (isLiteral) return "read";
  const isSingle = (word & 0x3a00_0000) === 0x3800_0000;
  const isVector = (word & 0x0400_0000) !== 0;
  // One register: opc; 128-bit stores of vectors have the code of sign-extending loads. Pairs: the L bit.
  const isLoad = isSingle && !isVector ? (word & 0x00c0_0000) !== 0 : (word & 0x0040_0000) !== 0;
  return isLoad ? "read" : "write";
}
