import { expect, test } from "bun:test";
import { parseCoreNotes, type CoreNotes } from "../../../src/model/core-notes.ts";
import { sampleCore } from "../../support/sample-core.ts";

const NOTHING: CoreNotes = {
  signal: null,
  pid: null,
  uid: null,
  gid: null,
  comm: null,
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
    executable: "/bin/app",
  };
  expect(parseCoreNotes(core)).toEqual(expected);
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
  const core = coreOf([status(11), info("app", [0, 0, 1]), auxv(0x4010n), files()]);
  for (let length = 0; length < core.length; length++) {
    const { executable } = parseCoreNotes(core.subarray(0, length));
    expect([null, "/bin/app"]).toContain(executable);
  }
});
