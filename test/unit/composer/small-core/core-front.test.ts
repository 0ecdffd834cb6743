// Program headers of processes with very many mappings.
import { expect, test } from "bun:test";
import {
  countSegments,
  parseCoreHeader,
  readFront,
} from "../../../../src/composer/small-core/core-front.ts";
import { layOut } from "../../../../src/composer/small-core/small-core-layout.ts";

const [HEADER, ROW, PAGE] = [64, 56, 4096];

/** The front of a core with so many mappings of two pages, every other one of them written. */
function frontOf(mappings: number): Buffer {
  const rows = mappings + 1;
  const front = Buffer.alloc(HEADER + rows * ROW);
  front.write("\x7fELF\x02\x01\x01", "latin1");
  front.writeUInt16LE(4, 16);
  front.writeUInt16LE(62, 18);
  front.writeBigUInt64LE(64n, 32);
  front.writeBigUInt64LE(BigInt(front.length + 1000 + mappings * PAGE), 40);
  front.writeUInt16LE(ROW, 54);
  front.writeUInt16LE(Math.min(rows, 0xffff), 56);
  front.writeUInt32LE(4, HEADER);
  front.writeBigUInt64LE(BigInt(front.length), HEADER + 8);
  front.writeBigUInt64LE(1000n, HEADER + 32);
  for (let index = 0; index < mappings; index++) {
    const at = HEADER + (index + 1) * ROW;
    front.writeUInt32LE(1, at);
    front.writeUInt32LE(6, at + 4);
    front.writeBigUInt64LE(BigInt(front.length + 1000 + index * PAGE), at + 8);
    front.writeBigUInt64LE(BigInt((16 + index * 3) * PAGE), at + 16);
    front.writeBigUInt64LE(BigInt(index % 2 === 0 ? 2 * PAGE : 0), at + 32);
    front.writeBigUInt64LE(BigInt(2 * PAGE), at + 40);
  }
  return front;
}

function parse(front: Buffer) {
  const header = parseCoreHeader(front.subarray(0, HEADER));
  if (header === undefined) throw new Error("no core");
  const count = countSegments(header, front.subarray(HEADER, HEADER + ROW));
  return readFront(header, count, PAGE, (at, size) => front.subarray(at, at + size));
}

for (const mappings of [3, 65_533, 65_534, 100_000])
  test(`${mappings} mappings are read, and those with pages are in the small core`, () => {
    const { header, segments, notes, expectedBytes } = parse(frontOf(mappings));
    expect(segments.length).toBe(mappings);
    expect(notes.sizeBytes).toBe(1000);
    expect(expectedBytes).toBeGreaterThan(mappings * PAGE);
    const last = 16 + (mappings - 1 - ((mappings - 1) % 2)) * 3;
    expect(segments.find(last)).toBeGreaterThanOrEqual(mappings - 2);
    expect(segments.find(16 + 3)).toBe(-1);
    const places = new Map([
      [16, 0],
      [last + 1, 1],
    ]);
    const [head] = layOut(header, segments, places, 1000);
    const bytes = head?.kind === "bytes" ? head.bytes : Buffer.alloc(0);
    const count = bytes.readUInt16LE(56);
    expect(count).toBeLessThan(0xffff);
    expect(bytes.length).toBe(HEADER + count * ROW);
    const written = Array.from({ length: count }, (_, index) => HEADER + index * ROW)
      .filter((at) => bytes.readUInt32LE(at) === 1 && bytes.readBigUInt64LE(at + 32) > 0n)
      .map((at) => Number(bytes.readBigUInt64LE(at + 16)) / PAGE);
    expect(written).toEqual([16, last + 1]);
  });
