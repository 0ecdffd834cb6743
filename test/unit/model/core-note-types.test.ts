import { expect, test } from "bun:test";
import { CoreNoteTypes } from "../../../src/model/core-note-types.ts";

const [PRSTATUS, PRPSINFO, AUXV, FPREGSET, FILE] = [1, 3, 6, 2, 0x46494c45];

function notesOf(types: number[], little: boolean, dataBytes = 37): Buffer {
  return Buffer.concat(
    types.map((type) => {
      const note = Buffer.alloc(12 + 8 + 40 + Math.max(0, dataBytes - 37), 0xee);
      const words = [5, note.length - 20, type];
      words.forEach((word, i) =>
        little ? note.writeUInt32LE(word, 4 * i) : note.writeUInt32BE(word, 4 * i),
      );
      return note;
    }),
  );
}

const OFFSET = 100;

function lacksFiles(types: number[], { little = true, pieceBytes = 1000, sizeBytes = 0 } = {}) {
  const notes = notesOf(types, little);
  const reader = new CoreNoteTypes(
    { offset: OFFSET, sizeBytes: sizeBytes || notes.length },
    little,
  );
  const core = Buffer.concat([Buffer.alloc(OFFSET, 0xaa), notes, Buffer.alloc(500)]);
  for (let at = 0; at < core.length; at += pieceBytes)
    reader.push(core.subarray(at, at + pieceBytes), at);
  return reader.lacksFiles;
}

test("a list of files that is there, or is not, whatever the pieces and the byte order", () => {
  for (const little of [true, false])
    for (const pieceBytes of [1, 5, 11, 12, 13, 64, 1000]) {
      const how = { little, pieceBytes };
      const first = [PRSTATUS, PRPSINFO, AUXV];
      const other = [PRSTATUS, FPREGSET];
      expect(lacksFiles([...first, FILE, FPREGSET, ...other], how)).toBe(false);
      expect(lacksFiles([...first, FPREGSET, ...other], how)).toBe(true);
      expect(lacksFiles([...first, FPREGSET], how)).toBe(true);
    }
});

test("what cannot be told is not said", () => {
  // Cut off before the first thread's notes end; no kernel's work; lengths that lead nowhere.
  expect(lacksFiles([PRSTATUS, PRPSINFO, AUXV], { sizeBytes: 100_000 })).toBe(false);
  expect(lacksFiles([PRSTATUS, FPREGSET, PRSTATUS])).toBe(false);
  expect(lacksFiles([])).toBe(false);
  const reader = new CoreNoteTypes({ offset: 0, sizeBytes: 100 }, true);
  reader.push(Buffer.alloc(1000, 0xff), 0);
  expect(reader.lacksFiles).toBe(false);
});
