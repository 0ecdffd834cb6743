// What a core must measure, read from its own program headers without any code of ours under test:
// the end of the last segment's data. Source: elf(5), core(5).

export interface CoreSize {
  /** Bytes that came. */
  received: number;
  /** Bytes that its headers announce; NaN when the headers themselves are cut. */
  announced: number;
}

const ELF_HEADER_BYTES = 64;

/** Reads the stream to its end. PN_XNUM cores (65,535 segments and more) are not understood. */
export async function measureCore(core: ReadableStream<Uint8Array>): Promise<CoreSize> {
  let head = Buffer.alloc(0);
  let received = 0;
  for await (const chunk of core) {
    received += chunk.length;
    if (head.length < headerBytes(head)) head = Buffer.concat([head, chunk]);
  }
  return { received, announced: announcedBytes(head) };
}

function headerBytes(head: Buffer): number {
  if (head.length < ELF_HEADER_BYTES) return ELF_HEADER_BYTES;
  return Number(head.readBigUInt64LE(32)) + head.readUInt16LE(54) * head.readUInt16LE(56);
}

function announcedBytes(head: Buffer): number {
  if (head.length < ELF_HEADER_BYTES || head.length < headerBytes(head)) return Number.NaN;
  const table = Number(head.readBigUInt64LE(32));
  const entryBytes = head.readUInt16LE(54);
  const ends = Array.from({ length: head.readUInt16LE(56) }, (_, i) => {
    const at = table + i * entryBytes;
    return Number(head.readBigUInt64LE(at + 8) + head.readBigUInt64LE(at + 32));
  });
  return Math.max(...ends);
}
