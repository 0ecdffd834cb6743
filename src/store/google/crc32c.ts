// CRC-32C (Castagnoli), by which Google checks every object. Neither Bun nor Node has it natively; eight tables at once
// take 2.2 GB/s (measured), more than Bun's MD5.
const POLYNOMIAL = 0x82f63b78;

type Tables = [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
];
let tables: Tables | undefined;

/** Returns the CRC of bytes that follow those whose CRC is `crc`. */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  tables ??= makeTables();
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  const whole = bytes.length - (bytes.length & 7);
  let c = ~crc;
  let i = 0;
  // The casts cost nothing; checks for a missing element cost five sixths of the speed.
  for (; i < whole; i += 8) {
    c ^=
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    c =
      (t7[c & 255] as number) ^
      (t6[(c >>> 8) & 255] as number) ^
      (t5[(c >>> 16) & 255] as number) ^
      (t4[c >>> 24] as number) ^
      (t3[bytes[i + 4] as number] as number) ^
      (t2[bytes[i + 5] as number] as number) ^
      (t1[bytes[i + 6] as number] as number) ^
      (t0[bytes[i + 7] as number] as number);
  }
  for (; i < bytes.length; i++) c = (t0[(c ^ (bytes[i] as number)) & 255] as number) ^ (c >>> 8);
  return ~c >>> 0;
}

function makeTables(): Tables {
  const made: Tables = [
    new Uint32Array(256),
    new Uint32Array(256),
    new Uint32Array(256),
    new Uint32Array(256),
    new Uint32Array(256),
    new Uint32Array(256),
    new Uint32Array(256),
    new Uint32Array(256),
  ];
  const [first] = made;
  for (let index = 0; index < 256; index++) {
    let c = index;
    for (let bit = 0; bit < 8; bit++) c = (c & 1) === 1 ? (c >>> 1) ^ POLYNOMIAL : c >>> 1;
    first[index] = c >>> 0;
  }
  for (let table = 1; table < 8; table++)
    for (let index = 0; index < 256; index++) {
      const before = made[table - 1]?.[index] ?? 0;
      (made[table] ?? first)[index] = (before >>> 8) ^ (first[before & 255] ?? 0);
    }
  return made;
}
