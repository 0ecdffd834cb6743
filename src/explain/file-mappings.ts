// Reads NT_FILE, which lists the parts of files that the process had mapped, in the order of their addresses.
import { MAPPINGS_MAX, TEXT_MAX_CHARACTERS } from "./limits.ts";

/** One entry of the core's list of mapped files. */
export interface FileMapping {
  start: bigint;
  end: bigint;
  fileOffset: number;
  path: string;
}

/** Leaves out mappings whose name is not in the note any more. */
export function parseFileMappings(note: Buffer): FileMapping[] {
  if (note.length < 16) return [];
  const wanted = Number(note.readBigUInt64LE(0));
  const pageBytes = note.readBigUInt64LE(8);
  let nameAt = 16 + wanted * 24;
  const mappings: FileMapping[] = [];
  for (let index = 0; index < Math.min(wanted, MAPPINGS_MAX); index++) {
    const nameEnd = nameAt < note.length ? note.indexOf(0, nameAt) : -1;
    if (nameEnd === -1) break;
    const at = 16 + index * 24;
    mappings.push({
      start: note.readBigUInt64LE(at),
      end: note.readBigUInt64LE(at + 8),
      fileOffset: Number(note.readBigUInt64LE(at + 16) * pageBytes),
      path: note.toString("utf8", nameAt, Math.min(nameEnd, nameAt + TEXT_MAX_CHARACTERS * 4)),
    });
    nameAt = nameEnd + 1;
  }
  return mappings;
}
