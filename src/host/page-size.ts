// The kernel's page size: 4 KiB on x86-64; 4, 16 or 64 KiB on arm64.
import { readFileSync } from "node:fs";

const AT_PAGESZ = 6n;
const USUAL_BYTES = 4096;

/** Reads it from this process's auxiliary vector (getauxval(3)). */
export function readPageSize(procDir: string): number {
  const vector = readFileSync(`${procDir}/self/auxv`);
  for (let at = 0; at + 16 <= vector.length; at += 16)
    if (vector.readBigUInt64LE(at) === AT_PAGESZ) return Number(vector.readBigUInt64LE(at + 8));
  return USUAL_BYTES;
}
