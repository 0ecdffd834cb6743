// A core that is small, whole and awkward: an ELF header whose one segment reaches to the end, then zeros,
// noise, text, and the bytes that end a deflate block, over and over.
const HEADER_BYTES = 64 + 56;
const ET_CORE = 4;
const PT_LOAD = 1;

/** Exactly sizeBytes long (at least 120); the same bytes for the same seed. */
export function sampleCore(sizeBytes: number, seed = 1): Buffer {
  const core = Buffer.alloc(sizeBytes);
  core.write("\x7fELF\x02\x01\x01", "latin1");
  core.writeUInt16LE(ET_CORE, 16);
  core.writeBigUInt64LE(64n, 32);
  core.writeUInt16LE(56, 54);
  core.writeUInt16LE(1, 56);
  core.writeUInt32LE(PT_LOAD, 64);
  core.writeBigUInt64LE(BigInt(HEADER_BYTES), 64 + 8);
  core.writeBigUInt64LE(BigInt(sizeBytes - HEADER_BYTES), 64 + 32);
  let state = seed;
  const next = () => (state = (state * 1_103_515_245 + 12_345) & 0x7fffffff);
  for (let at = HEADER_BYTES; at < sizeBytes;) {
    const length = Math.min(40_000 + (next() % 300_000), sizeBytes - at);
    const kind = (next() >> 8) % 4;
    const end = at + length;
    if (kind === 1) for (; at < end; at++) core[at] = next() >> 16;
    if (kind === 2) core.fill("registers and stacks, mapped files and heaps; ", at, end);
    if (kind === 3)
      for (; at < end; at += 16) {
        // Noise around the mark keeps it from being compressed away.
        if (at + 16 <= end) for (let byte = 0; byte < 12; byte++) core[at + byte] = next() >> 16;
        if (at + 16 <= end) core.writeUInt32BE(0x0000ffff, at + 12);
      }
    at = end;
  }
  return core;
}
