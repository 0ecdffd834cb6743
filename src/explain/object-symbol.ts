// Finds the address of one variable by its name, in .symtab or .dynsym.
import type { ElfFile } from "./elf-file.ts";
import type { WorkBudget } from "./work-budget.ts";
import { SYMBOL_TABLE_MAX_BYTES } from "./limits.ts";

const [SHT_SYMTAB, SHT_DYNSYM] = [2, 11];
const STT_OBJECT = 1;
const SYMBOL_BYTES = 24;
const BLOCK_BYTES = SYMBOL_BYTES * 2730;
/** Names that are compared; the C library has a few thousand variables. */
const OBJECTS_MAX = 200_000;

/** Returns the address as linked; undefined where there is none of that name. Throws Malformed. */
export function findObject(image: ElfFile, name: string, budget: WorkBudget): bigint | undefined {
  const wanted = Buffer.from(`${name}\0`);
  let compared = 0;
  for (const section of image.sections.values()) {
    const names = image.sectionAt(section.link);
    if ((section.type !== SHT_SYMTAB && section.type !== SHT_DYNSYM) || names === undefined)
      continue;
    const sizeBytes = Math.min(section.sizeBytes, SYMBOL_TABLE_MAX_BYTES);
    for (let at = 0; at < sizeBytes; at += BLOCK_BYTES) {
      budget.spendSymbolBytes(BLOCK_BYTES);
      const block = image.readFile(section.offset + at, Math.min(BLOCK_BYTES, sizeBytes - at));
      for (let entry = 0; entry + SYMBOL_BYTES <= block.length; entry += SYMBOL_BYTES) {
        if (((block[entry + 4] ?? 0) & 0x0f) !== STT_OBJECT || block.readUInt16LE(entry + 6) === 0)
          continue;
        if (++compared > OBJECTS_MAX) return undefined;
        if (image.readFile(names.offset + block.readUInt32LE(entry), wanted.length).equals(wanted))
          return block.readBigUInt64LE(entry + 8);
      }
      if (block.length === 0) break;
    }
  }
  return undefined;
}
