// Bytes of a real file or core, damaged in ways that a seed decides: single bits, interesting numbers, stretches
// copied over others, the end cut off.

/** Numbers that readers get wrong. */
const NUMBERS = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0xffffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_ffffn,
  0xffff_ffff_ffff_f000n,
  1_000_000_000n,
] as const;

/** A linear congruential generator (Numerical Recipes): the same seed, the same damage. */
export class Chance {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 0 to below limit. */
  below(limit: number): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.state / 2 ** 32) * limit);
  }
}

/** A copy with one to eight damages between two offsets. */
export function damaged(
  original: Buffer,
  chance: Chance,
  start = 0,
  end = original.length,
): Buffer {
  const bytes = Buffer.from(original);
  const place = () => start + chance.below(Math.max(1, end - start));
  for (let count = 1 + chance.below(8); count > 0; count--)
    switch (chance.below(5)) {
      case 0: {
        const at = place();
        bytes[at] = (bytes[at] ?? 0) ^ (1 << chance.below(8));
        break;
      }
      case 1:
        bytes[place()] = chance.below(256);
        break;
      case 2: {
        const at = Math.min(place() & ~7, bytes.length - 8);
        if (at >= 0) bytes.writeBigUInt64LE(NUMBERS[chance.below(NUMBERS.length)] ?? 0n, at);
        break;
      }
      case 3: {
        const at = Math.min(place() & ~3, bytes.length - 4);
        const number = Number((NUMBERS[chance.below(NUMBERS.length)] ?? 0n) & 0xffff_ffffn);
        if (at >= 0) bytes.writeUInt32LE(number, at);
        break;
      }
      default: {
        const [from, to] = [place(), place()];
        bytes.copy(bytes, to, from, Math.min(from + 1 + chance.below(64), bytes.length));
      }
    }
  return chance.below(10) === 0 ? bytes.subarray(0, place()) : bytes;
}
