import { expect, test } from "bun:test";
import { planExcerpt, type CoreRange } from "../../../src/explain/core-excerpt.ts";
import { parseElfCore } from "../../../src/explain/elf-core.ts";
import type { ElfCore } from "../../../src/explain/elf-core.ts";
import { bytesOf } from "../../../src/model/random-bytes.ts";
import { syntheticCore, X86 } from "../../support/synthetic-core.ts";

const STACK = 0x7ff0_0000_0000n;
const MIB = 1 << 20;

/** The core of one thread, with segments of these sizes behind each other in the file. */
function coreWith(sizes: readonly number[], stackPointer: bigint): ElfCore {
  const core = parseElfCore(
    bytesOf(syntheticCore({ threads: [{ tid: 1, registers: { [X86.rsp]: stackPointer } }] })),
  );
  let [offset, address] = [0x1_0000, STACK];
  core.segments = sizes.map((fileBytes) => {
    const segment = {
      type: 1,
      flags: 6,
      offset,
      address,
      fileBytes,
      memoryBytes: BigInt(fileBytes),
    };
    offset += fileBytes;
    address += BigInt(fileBytes) + 4096n;
    return segment;
  });
  return core;
}

const total = (ranges: readonly CoreRange[]) =>
  ranges.reduce((sum, { start, end }) => sum + end - start, 0);

test("small segments are kept whole, of a large one its first page and what the stack pointer leads to", () => {
  const heap = 1024 * MIB;
  const stackPointer = STACK + BigInt(MIB) + 4096n + BigInt(500 * MIB);
  const ranges = planExcerpt(coreWith([MIB, heap, MIB], stackPointer));
  const heapAt = 0x1_0000 + MIB;
  expect(ranges).toEqual([
    { start: 0x1_0000, end: heapAt + 4096 },
    { start: heapAt + 500 * MIB - (64 << 10), end: heapAt + 501 * MIB },
    { start: heapAt + heap, end: heapAt + heap + MIB },
  ]);
});

test("however many segments there are, what is kept has a bound", () => {
  const ranges = planExcerpt(coreWith(Array<number>(60_000).fill(8 * MIB), STACK));
  expect(total(ranges)).toBeLessThan(1024 * MIB);
});
