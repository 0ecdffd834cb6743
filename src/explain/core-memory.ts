// Reads the process's memory as the core's segments have it. What a segment has in memory but not in the core stands in
// the mapped file, if anywhere (mapped-modules.ts).
import type { ProgramHeader } from "./elf-header.ts";
import type { ProcessMemory } from "../model/process-memory.ts";
import type { RandomBytes } from "../model/random-bytes.ts";

/** The segments must be in the order of their addresses. */
export function openCoreMemory(
  core: RandomBytes,
  segments: readonly ProgramHeader[],
): ProcessMemory {
  return {
    read(address, sizeBytes) {
      const segment = segmentAt(segments, address);
      if (segment === undefined) return Buffer.alloc(0);
      const offset = Number(address - segment.address);
      const length = Math.min(sizeBytes, segment.fileBytes - offset);
      return length <= 0 ? Buffer.alloc(0) : core.read(segment.offset + offset, length);
    },
  };
}

/** Finds the segment that has an address, by bisection; undefined where none has. */
export function segmentAt(
  segments: readonly ProgramHeader[],
  address: bigint,
): ProgramHeader | undefined {
  let [low, high] = [0, segments.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const segment = segments[middle];
    if (segment === undefined) return undefined;
    if (address < segment.address) high = middle - 1;
    else if (address >= segment.address + segment.memoryBytes) low = middle + 1;
    else return segment;
  }
  return undefined;
}

/** Reads eight little-endian bytes at an address; undefined where they are not all there. */
export function readWord(memory: ProcessMemory, address: bigint): bigint | undefined {
  const bytes = memory.read(BigInt.asUintN(64, address), 8);
  return bytes.length < 8 ? undefined : bytes.readBigUInt64LE(0);
}
