import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseCoreNotes, type CoreNotes } from "../../../src/model/core-notes.ts";
import { sampleCore } from "../../support/sample-core.ts";

const NOTHING: CoreNotes = {
  signal: null,
  pid: null,
  uid: null,
  gid: null,
  comm: null,
  args: null,
  executable: null,
};

interface NoteSpec {
  type: number;
  data: Buffer;
}

/** An ELF core of nothing but its notes. */
function coreOf(notes: NoteSpec[], { noteBytes }: { noteBytes?: number } = {}): Buffer {
  const segment = Buffer.concat(
    notes.map(({ type, data }) => {
      const note = Buffer.alloc(12 + 8 + Math.ceil(data.length / 4) * 4);
      note.writeUInt32LE(5, 0);
      note.writeUInt32LE(noteBytes ?? data.length, 4);
      note.writeUInt32LE(type, 8);
      note.write("CORE\0", 12);
      data.copy(note, 20);
      return note;
    }),
  );
  const head = sampleCore(120);
  head.writeUInt32LE(4, 64);
  head.writeBigUInt64LE(BigInt(head.length), 64 + 8);
  head.writeBigUInt64LE(BigInt(segment.length), 64 + 32);
  return Buffer.concat([head, segment]);
}

function status(signal: number): NoteSpec {
  const data = Buffer.alloc(336);
  data.writeUInt16LE(signal, 12);
  return { type: 1, data };
}

function info(comm: string, [uid, gid, pid]: [number, number, number]): NoteSpec {
  const data = Buffer.alloc(136);
  data.writeUInt32LE(uid, 16);
  data.writeUInt32LE(gid, 20);
  data.writeUInt32LE(pid, 24);
  data.write(comm, 40);
  return { type: 3, data };
}

const words = (...values: bigint[]) => Buffer.from(BigUint64Array.from(values).buffer);
const auxv = (entry: bigint): NoteSpec => ({ type: 6, data: words(3n, 64n, 9n, entry, 0n, 0n) });
const files = (count = 2n): NoteSpec => ({
  type: 0x46494c45,
  data: Buffer.concat([
    words(count, 4096n, 0x1000n, 0x2000n, 0n, 0x4000n, 0x6000n, 0n),
    Buffer.from("/lib/ld.so\0/bin/app\0"),
  ]),
});

test("signal, ids, name and executable of the thread that crashed", () => {
  const other = [status(9), info("other", [1, 1, 1])];
  const core = coreOf([status(11), info("app", [1000, 1001, 7]), auxv(0x4010n), files(), ...other]);
  const expected = {
    signal: 11,
    pid: 7,
    uid: 1000,
    gid: 1001,
    comm: "app",
    args: null,
    executable: "/bin/app",
  };
  expect(parseCoreNotes(core)).toEqual(expected);
});

test("a real core of a 32-bit program", () => {
  const head = readFileSync(join(import.meta.dir, "../../fixtures/core/i386-head.bin"));
  expect(parseCoreNotes(head)).toEqual({
    signal: 11,
    pid: 30_291,
    uid: 0,
    gid: 0,
    comm: "app",
    args: "./app",
    executable: "/tmp/crash32/app",
  });
});

/** The notes of a core as a machine of this form writes them; 32-bit ids where the ABI has them. */
function foreignCore(form: { wide: boolean; little: boolean; wideIds?: boolean }): Buffer {
  const bytes: number[] = [];
  const u16 = (value: number) => bytes.push(...order([value & 0xff, value >> 8]));
  const u32 = (value: number) =>
    bytes.push(...order([0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff)));
  const order = (parts: number[]) => (form.little ? parts : parts.toReversed());
  const word = (value: number) => {
    if (form.wide && !form.little) u32(0);
    u32(value);
    if (form.wide && form.little) u32(0);
  };
  const section = (build: () => void): Buffer => {
    bytes.length = 0;
    build();
    return Buffer.from(bytes);
  };
  const id = form.wide || form.wideIds === true ? u32 : u16;
  const thread = section(() => [0, 0, 0].forEach(u32));
  const signal = section(() => u16(6));
  const process = section(() => {
    u32(0);
    if (form.wide) u32(0);
    word(0);
    [1000, 1001].forEach(id);
    [42, 1, 42, 42].forEach(u32);
  });
  const text = Buffer.concat([
    Buffer.from("app".padEnd(16, "\0")),
    Buffer.from("app --serve ".padEnd(80, "\0")),
  ]);
  const vector = section(() => [3, 64, 9, 0x4010, 0, 0].forEach(word));
  const mapped = section(() => [2, 4096, 0x1000, 0x2000, 0, 0x4000, 0x6000, 0].forEach(word));
  const notes: [number, Buffer[]][] = [
    [1, [thread, signal, Buffer.alloc(130)]],
    [3, [process, text]],
    [6, [vector]],
    [0x46494c45, [mapped, Buffer.from("/lib/ld.so\0/bin/app\0")]],
  ];
  const segment = Buffer.concat(
    notes.flatMap(([type, parts]) => {
      const data = Buffer.concat(parts);
      const head = section(() => [5, data.length, type].forEach(u32));
      const padding = Buffer.alloc(-data.length & 3);
      return [head, Buffer.from("CORE\0\0\0\0"), data, padding];
    }),
  );
  const headerBytes = form.wide ? 64 : 52;
  const segmentBytes = form.wide ? 56 : 32;
  const identity = Buffer.from([0x7f, 0x45, 0x4c, 0x46, form.wide ? 2 : 1, form.little ? 1 : 2, 1]);
  const header = section(() => {
    [4, 8].forEach(u16);
    u32(1);
    [0, headerBytes, 0].forEach(word);
    u32(0);
    [headerBytes, segmentBytes, 1, 0, 0, 0].forEach(u16);
  });
  const table = section(() => {
    u32(4);
    if (form.wide) u32(0);
    word(headerBytes + segmentBytes);
    [0, 0, segment.length].forEach(word);
  });
  const rest = Buffer.alloc(segmentBytes - table.length);
  return Buffer.concat([identity, Buffer.alloc(9), header, table, rest, segment]);
}

test("every width and byte order tells the same", () => {
  const forms = [
    { wide: true, little: true },
    { wide: true, little: false },
    { wide: false, little: true },
    { wide: false, little: false, wideIds: true },
  ];
  for (const form of forms)
    expect(parseCoreNotes(foreignCore(form))).toEqual({
      signal: 6,
      pid: 42,
      uid: 1000,
      gid: 1001,
      comm: "app",
      args: "app --serve",
      executable: "/bin/app",
    });
});

const HOSTILE: [string, Buffer][] = [
  ["nothing", Buffer.alloc(0)],
  ["text", Buffer.from("no core at all".repeat(10))],
  ["an ELF header alone", sampleCore(120).subarray(0, 64)],
  ["a note longer than the segment", coreOf([status(11)], { noteBytes: 0xffff_ffff })],
  ["a file note that counts far more than it has", coreOf([auxv(0x4010n), files(2n ** 60n)])],
  ["an entry point that no file holds", coreOf([auxv(0x9000n), files()])],
];
for (const [what, core] of HOSTILE)
  test(`${what} tells nothing`, () => expect(parseCoreNotes(core)).toEqual(NOTHING));

test("any cut of a core is read without harm", () => {
  for (const core of [
    coreOf([status(11), info("app", [0, 0, 1]), auxv(0x4010n), files()]),
    foreignCore({ wide: false, little: false }),
  ])
    for (let length = 0; length < core.length; length++) {
      const { executable } = parseCoreNotes(core.subarray(0, length));
      expect([null, "/bin/app"]).toContain(executable);
    }
});
