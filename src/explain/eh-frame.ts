// Finds the call frame information of an address in .eh_frame: by the sorted table that PT_GNU_EH_FRAME names,
// or, as in static glibc programs, by one pass over the section (LSB Core, chapter 10).
import { ByteCursor, ENCODING_OMITTED } from "./byte-cursor.ts";
import type { ElfFile, Section } from "./elf-file.ts";
import { FRAME_ENTRIES_MAX, FRAME_ENTRY_MAX_BYTES } from "./limits.ts";
import { Malformed } from "./malformed.ts";
import type { WorkBudget } from "./work-budget.ts";

/** What one CIE and one FDE say, addresses as linked. */
export interface FrameDescription {
  start: bigint;
  end: bigint;
  codeAlignment: bigint;
  dataAlignment: bigint;
  returnAddress: number;
  pointerEncoding: number;
  /** A signal handler's return: the frame below is exact. */
  isSignalFrame: boolean;
  initial: ByteCursor;
  instructions: ByteCursor;
}

/** From start to entry: two 32-bit offsets from the table's own section. */
const TABLE_ENCODING = 0x3b;
const TABLE_ENTRY_BYTES = 8;
const HEADER_MAX_BYTES = 64;

interface Entry {
  start: bigint;
  end: bigint;
  address: bigint;
}

/** The call frame information of one module. */
export class EhFrame {
  private readonly image: ElfFile;
  private readonly budget: WorkBudget;
  private index: Entry[] | undefined;
  /** The last ones looked at: callers ask for neighbours. */
  private readonly described = new Map<bigint, FrameDescription>();

  constructor(image: ElfFile, budget: WorkBudget) {
    this.image = image;
    this.budget = budget;
  }

  /** Returns the description that covers an address as linked, or undefined. Throws Malformed. */
  find(address: bigint): FrameDescription | undefined {
    const at = this.findEntry(address);
    if (at === undefined) return undefined;
    const description = this.described.get(at) ?? describe(this.image, at);
    if (this.described.size < 256) this.described.set(at, description);
    return address >= description.start && address < description.end ? description : undefined;
  }

  private findEntry(address: bigint): bigint | undefined {
    const header = this.image.frameHeader;
    const table = header === undefined ? undefined : this.openTable(header.address);
    if (table !== undefined) return this.searchTable(table, address);
    this.index ??= this.readAll();
    return searchIndex(this.index, address);
  }

  private openTable(address: bigint): { base: bigint; start: bigint; count: number } | undefined {
    const cursor = new ByteCursor(this.image.read(address, HEADER_MAX_BYTES), address);
    if (cursor.bytes.length < 12 || cursor.u8() !== 1) return undefined;
    const [frameEncoding, countEncoding, tableEncoding] = [cursor.u8(), cursor.u8(), cursor.u8()];
    cursor.pointer(frameEncoding, address);
    if (countEncoding === ENCODING_OMITTED || tableEncoding !== TABLE_ENCODING) return undefined;
    const count = Number(cursor.pointer(countEncoding, address));
    if (count === 0 || count > 0x1000_0000) return undefined;
    return { base: address, start: address + BigInt(cursor.at), count };
  }

  private searchTable(
    { base, start, count }: { base: bigint; start: bigint; count: number },
    address: bigint,
  ): bigint | undefined {
    const entry = (index: number) =>
      this.image.take(start + BigInt(index * TABLE_ENTRY_BYTES), TABLE_ENTRY_BYTES);
    let [low, high, found] = [0, count - 1, undefined as Buffer | undefined];
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const bytes = entry(middle);
      if (base + BigInt(bytes.readInt32LE(0)) <= address) {
        found = bytes;
        low = middle + 1;
      } else high = middle - 1;
    }
    return found === undefined ? undefined : base + BigInt(found.readInt32LE(4));
  }

  private readAll(): Entry[] {
    const section = this.image.sections.get(".eh_frame");
    if (section === undefined) return [];
    return readEntries(this.image, section, this.budget).sort((a, b) =>
      a.start < b.start ? -1 : 1,
    );
  }
}

function readEntries(image: ElfFile, { address, sizeBytes }: Section, budget: WorkBudget): Entry[] {
  const entries: Entry[] = [];
  const encodings = new Map<bigint, number>();
  const end = address + BigInt(sizeBytes);
  let at = address;
  for (let index = 0; index < FRAME_ENTRIES_MAX && at + 8n <= end; index++) {
    budget.spendSteps(1);
    const head = image.read(at, 8 + 16);
    if (head.length < 8) break;
    const [length, id] = [head.readUInt32LE(0), head.readUInt32LE(4)];
    if (length === 0 || length === 0xffff_ffff) break;
    if (id !== 0) {
      const cieAt = at + 4n - BigInt(id);
      const encoding = encodings.get(cieAt) ?? readCie(image, cieAt).pointerEncoding;
      encodings.set(cieAt, encoding);
      const cursor = new ByteCursor(head.subarray(8), at + 8n);
      const start = cursor.pointer(encoding, 0n);
      entries.push({ start, end: start + cursor.pointer(encoding & 0x0f, 0n), address: at });
    }
    at += 4n + BigInt(length);
  }
  return entries;
}

function searchIndex(entries: readonly Entry[], address: bigint): bigint | undefined {
  let [low, high] = [0, entries.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const entry = entries[middle];
    if (entry === undefined) return undefined;
    if (address < entry.start) high = middle - 1;
    else if (address >= entry.end) low = middle + 1;
    else return entry.address;
  }
  return undefined;
}

function describe(image: ElfFile, at: bigint): FrameDescription {
  const fde = readEntry(image, at);
  const id = fde.u32();
  if (id === 0) throw new Malformed("an .eh_frame_hdr leads to no frame description");
  const cie = readCie(image, at + 4n - BigInt(id));
  const start = fde.pointer(cie.pointerEncoding, 0n);
  const length = fde.pointer(cie.pointerEncoding & 0x0f, 0n);
  if (cie.hasAugmentation) fde.skip(fde.count());
  const { hasAugmentation: _, ...rest } = cie;
  return { ...rest, start, end: start + length, instructions: restOf(fde) };
}

function readEntry(image: ElfFile, at: bigint): ByteCursor {
  const length = image.take(at, 4).readUInt32LE(0);
  if (length < 4 || length > FRAME_ENTRY_MAX_BYTES)
    throw new Malformed("an entry of .eh_frame has a strange length");
  return new ByteCursor(image.take(at + 4n, length), at + 4n);
}

type Cie = Omit<FrameDescription, "start" | "end" | "instructions"> & { hasAugmentation: boolean };

function readCie(image: ElfFile, at: bigint): Cie {
  const cursor = readEntry(image, at);
  if (cursor.u32() !== 0) throw new Malformed("a frame description leads to no common entry");
  const version = cursor.u8();
  if (version !== 1 && version !== 3)
    throw new Malformed(`a common entry of .eh_frame has version ${version}`);
  const augmentation = cursor.text();
  const codeAlignment = cursor.uleb();
  const dataAlignment = cursor.sleb();
  const returnAddress = version === 1 ? cursor.u8() : cursor.count();
  const cie: Cie = {
    codeAlignment,
    dataAlignment,
    returnAddress,
    pointerEncoding: 0,
    isSignalFrame: false,
    hasAugmentation: augmentation.startsWith("z"),
    initial: cursor,
  };
  if (cie.hasAugmentation) readAugmentation(cursor, augmentation, cie);
  else if (augmentation !== "") throw new Malformed("a common entry has an unknown augmentation");
  return { ...cie, initial: restOf(cursor) };
}

function readAugmentation(cursor: ByteCursor, letters: string, cie: Cie): void {
  const sizeBytes = cursor.count();
  const end = cursor.at + sizeBytes;
  for (const letter of letters.slice(1))
    if (letter === "R") cie.pointerEncoding = cursor.u8();
    else if (letter === "P") cursor.pointer(cursor.u8() & 0x7f, 0n);
    else if (letter === "L") cursor.u8();
    else if (letter === "S") cie.isSignalFrame = true;
    // "B": return addresses are signed with the second key; "G": memory tagging. Neither changes the unwinding.
    else if (letter !== "B" && letter !== "G") break;
  if (end < cursor.at || end > cursor.bytes.length)
    throw new Malformed("a common entry's augmentation is cut short");
  cursor.at = end;
}

function restOf({ bytes, at, address }: ByteCursor): ByteCursor {
  return new ByteCursor(bytes.subarray(at), address + BigInt(at));
}
