// Finds names for addresses in .symtab and .dynsym, in one streamed pass for all of a module's addresses at once, and
// reads only the names that are wanted. Node has 110,000 symbols; held as strings they take 100 MiB.
import type { ElfFile, Section } from "./elf-file.ts";
import { untilNul } from "./elf-notes.ts";
import { SYMBOL_NAME_MAX_BYTES, SYMBOL_TABLE_MAX_BYTES } from "./limits.ts";
import { Malformed } from "./malformed.ts";
import type { WorkBudget } from "./work-budget.ts";

/** The symbol that covers an address. */
export interface SymbolHit {
  /** As found: mangled. */
  name: string;
  /** As linked. */
  start: bigint;
  /** False for a symbol that only its own file knows (static). */
  isExported: boolean;
}

const [SHT_SYMTAB, SHT_DYNSYM] = [2, 11];
const [STT_NOTYPE, STT_FUNC, STT_GNU_IFUNC] = [0, 2, 10];
const [STB_LOCAL, STB_WEAK] = [0, 2];
const SYMBOL_BYTES = 24;
const BLOCK_BYTES = SYMBOL_BYTES * 2730;
/** Symbols that overlap: a table made to cost time has millions, all over all addresses. */
const MATCHES_MAX = 1_000_000;
const ALIASES_MAX = 8;
/** How far behind a symbol without a size (of hand-written assembler) an address may be. */
const UNSIZED_MAX_BYTES = 16 << 10;

interface Candidate {
  start: number;
  /** Larger is better: has a size, is a function, is exported. */
  rank: number;
  isExported: boolean;
  /** One for each of its names that is as good as the others. */
  names: { at: number; isWeak: boolean }[];
}

/** Returns one symbol for each address as linked, in their order; undefined where none covers it. Throws Malformed. */
export function findSymbols(
  image: ElfFile,
  addresses: readonly bigint[],
  budget: WorkBudget,
): (SymbolHit | undefined)[] {
  const wanted = [...new Set(addresses.map(Number))].sort((a, b) => a - b);
  const search = new SymbolSearch(wanted, image.header.machine === "x86_64");
  for (const section of image.sections.values())
    if (section.type === SHT_SYMTAB || section.type === SHT_DYNSYM)
      readTable(image, section, search, budget);
  return addresses.map((address) => {
    const best = search.result(Number(address));
    if (best === undefined) return undefined;
    const name = plainest(
      best.names.map(({ at, isWeak }) => ({
        isWeak,
        name: untilNul(image.readFile(at, SYMBOL_NAME_MAX_BYTES)),
      })),
    );
    return name === ""
      ? undefined
      : { name, start: BigInt(best.start), isExported: best.isExported };
  });
}

/** Prefers free to __libc_free, and raise to its weak alias gsignal. */
function plainest(names: readonly { name: string; isWeak: boolean }[]): string {
  const cost = ({ name, isWeak }: { name: string; isWeak: boolean }) =>
    name.search(/[^_]/u) * 2 + (isWeak ? 1 : 0);
  const [best] = [...names].sort((left, right) => cost(left) - cost(right));
  return best?.name ?? "";
}

function readTable(
  image: ElfFile,
  section: Section,
  search: SymbolSearch,
  budget: WorkBudget,
): void {
  const names = image.sectionAt(section.link);
  if (names === undefined) return;
  const sizeBytes = Math.min(section.sizeBytes, SYMBOL_TABLE_MAX_BYTES);
  for (let at = 0; at < sizeBytes; at += BLOCK_BYTES) {
    const block = image.readFile(section.offset + at, Math.min(BLOCK_BYTES, sizeBytes - at));
    budget.spendSymbolBytes(block.length);
    for (let entry = 0; entry + SYMBOL_BYTES <= block.length; entry += SYMBOL_BYTES)
      search.offer(block, entry, names.offset);
    if (block.length === 0) return;
  }
}

class SymbolSearch {
  private readonly wanted: number[];
  private readonly acceptsLabels: boolean;
  private readonly sized: (Candidate | undefined)[];
  private readonly unsized: (Candidate | undefined)[];
  /** Where the last symbol with a size begins before each address, whether it covers it or not. */
  private readonly lastSized: number[];
  private matches = 0;

  /**
   * Returns whether a symbol is a label: local, without type and size. On aarch64 labels mark data and code ($d, $x).
   */
  constructor(wanted: number[], acceptsLabels: boolean) {
    this.wanted = wanted;
    this.acceptsLabels = acceptsLabels;
    this.sized = wanted.map(() => undefined);
    this.unsized = wanted.map(() => undefined);
    this.lastSized = wanted.map(() => 0);
  }

  offer(block: Buffer, at: number, namesOffset: number): void {
    const info = block[at + 4] ?? 0;
    const type = info & 0x0f;
    if (type !== STT_FUNC && type !== STT_NOTYPE && type !== STT_GNU_IFUNC) return;
    if (block.readUInt16LE(at + 6) === 0) return;
    const start = block.readUInt32LE(at + 8) + block.readUInt32LE(at + 12) * 2 ** 32;
    const sizeBytes = block.readUInt32LE(at + 16) + block.readUInt32LE(at + 20) * 2 ** 32;
    const last = this.wanted.at(-1);
    if (start === 0 || last === undefined || start > last) return;
    const isLocal = info >> 4 === STB_LOCAL;
    if (sizeBytes === 0 && type === STT_NOTYPE && isLocal && !this.acceptsLabels) return;
    const rank = (type === STT_NOTYPE ? 0 : 2) + (isLocal ? 0 : 1);
    const nameAt = namesOffset + block.readUInt32LE(at);
    const candidate = {
      start,
      rank,
      isExported: !isLocal,
      names: [{ at: nameAt, isWeak: info >> 4 === STB_WEAK }],
    };
    const first = this.firstAtLeast(start);
    // Only the first address behind it: what lies between two addresses is nearer to the second (result()).
    if (sizeBytes === 0) this.keep(this.unsized, first, candidate);
    else {
      this.lastSized[first] = Math.max(this.lastSized[first] ?? 0, start);
      for (let index = first; (this.wanted[index] ?? Infinity) < start + sizeBytes; index++)
        this.keep(this.sized, index, candidate);
    }
  }

  result(address: number): Candidate | undefined {
    const index = this.firstAtLeast(address);
    const sized = this.sized[index];
    if (sized !== undefined) return sized;
    let between = 0;
    for (let earlier = index; earlier >= 0; earlier--) {
      const found = this.unsized[earlier];
      between = Math.max(between, this.lastSized[earlier] ?? 0);
      if (found === undefined) continue;
      const isNear = found.start >= between && address - found.start < UNSIZED_MAX_BYTES;
      return isNear ? found : undefined;
    }
    return undefined;
  }

  private keep(list: (Candidate | undefined)[], index: number, offered: Candidate): void {
    if (++this.matches > MATCHES_MAX) throw new Malformed("its symbols overlap too often");
    const known = list[index];
    if (known?.start === offered.start && known.rank === offered.rank) {
      if (known.names.length < ALIASES_MAX) known.names.push(...offered.names);
      return;
    }
    if (
      known === undefined ||
      offered.start > known.start ||
      (offered.start === known.start && offered.rank > known.rank)
    )
      list[index] = offered;
  }

  private firstAtLeast(address: number): number {
    let [low, high] = [0, this.wanted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.wanted[middle] ?? 0) < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
