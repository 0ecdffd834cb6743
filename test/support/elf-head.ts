// The head of an ELF core of any width and byte order, written field by field after elf(5).

export interface ElfShape {
  bits: 32 | 64;
  order: "little" | "big";
  segments: readonly { offset: number | bigint; fileBytes: number }[];
  /** e_phoff; right after the header by default. */
  tableOffset?: number;
  /** e_phnum, where it is not the number of segments. */
  segmentCount?: number;
  /** e_shoff */
  sectionsOffset?: number;
}

const ET_CORE = 4;
const PT_LOAD = 1;

/** Header and program headers, and zeros between them. */
export function elfHead(shape: ElfShape): Uint8Array {
  const wide = shape.bits === 64;
  const [headerBytes, segmentBytes] = wide ? [64, 56] : [52, 32];
  const table = shape.tableOffset ?? headerBytes;
  const head = new Uint8Array(table + shape.segments.length * segmentBytes);
  const view = new DataView(head.buffer);
  const little = shape.order === "little";
  const u16 = (at: number, value: number) => view.setUint16(at, value, little);
  /** A field as wide as an address. */
  const word = (at: number, value: number | bigint) =>
    wide ? view.setBigUint64(at, BigInt(value), little) : view.setUint32(at, Number(value), little);

  head.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1]);
  u16(16, ET_CORE);
  word(wide ? 32 : 28, table);
  word(wide ? 40 : 32, shape.sectionsOffset ?? 0);
  u16(wide ? 54 : 42, segmentBytes);
  u16(wide ? 56 : 44, shape.segmentCount ?? shape.segments.length);
  for (const [i, { offset, fileBytes }] of shape.segments.entries()) {
    const at = table + i * segmentBytes;
    view.setUint32(at, PT_LOAD, little);
    word(at + (wide ? 8 : 4), offset);
    word(at + (wide ? 32 : 16), fileBytes);
  }
  return head;
}
