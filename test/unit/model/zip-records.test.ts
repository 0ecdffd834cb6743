import { expect, test } from "bun:test";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import {
  HEADER_ROOM_BYTES,
  STORED,
  dosTime,
  fillerExtra,
  formatCentralDirectory,
  formatLocalHeader,
  type ZipEntryRecord,
} from "../../../src/model/zip-records.ts";
import { gatedTest } from "../../support/gate.ts";
import { runTool } from "../../support/run-tool.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { readWithAll, readersObstacle } from "../../support/zip-readers.ts";

/** Entries of which only the header counts. */
const EMPTY = { method: STORED, crc: 0, sizeBytes: 0, compressedBytes: 0, offset: 0 } as const;
const MODIFIED = new Date("2026-11-22T05:06:08Z");

interface Content {
  name: string;
  /** The data, or how many zeros it is: those are a hole in the file. */
  data: Uint8Array | number;
  roomBytes?: number;
}

/** A zip of nothing but our records around stored data. */
function writeZip(path: string, contents: readonly Content[]): void {
  const fd = openSync(path, "wx");
  const entries: ZipEntryRecord[] = [];
  let at = 0;
  for (const { name, data, roomBytes } of contents) {
    const sizeBytes = typeof data === "number" ? data : data.length;
    const crc = typeof data === "number" ? 0 : crc32(data);
    const entry = { ...EMPTY, name, crc, sizeBytes, compressedBytes: sizeBytes, offset: at };
    entries.push(entry);
    at += writeAt(fd, formatLocalHeader(entry, MODIFIED, roomBytes), at);
    if (typeof data !== "number") writeAt(fd, data, at);
    at += sizeBytes;
  }
  writeAt(fd, formatCentralDirectory(entries, MODIFIED, at), at);
  closeSync(fd);
}

/** With a length: without one Bun 1.4.5 does not look at the position. */
function writeAt(fd: number, bytes: Uint8Array, position: number): number {
  return writeSync(fd, bytes, 0, bytes.length, position);
}

/** The directory as Python sees it, and the last entry's data by Python, bsdtar and unzip. */
async function look(path: string) {
  const script = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    print(json.dumps([[i.filename, i.file_size, i.header_offset] for i in z.infolist()]))
    print(z.read(z.namelist()[-1]).decode())
`;
  const [listed = "", last = ""] = (await runTool(["python3", "-c", script, path])).split("\n");
  const untarred = await runTool(["bsdtar", "-xOf", path, "last"]);
  const unzip = Bun.spawn(["unzip", "-p", path, "last"], { stdio: ["ignore", "pipe", "ignore"] });
  const unzipped = await unzip.stdout.text();
  const names = (await runTool(["bsdtar", "-tf", path])).trimEnd().split("\n");
  const entries = JSON.parse(listed) as [string, number, number][];
  return { entries, lasts: [last, untarred, unzipped], names };
}

const LAST = new TextEncoder().encode("the last entry");
const UINT32_MAX = 0xffff_ffff;

for (const sizeBytes of [UINT32_MAX - 1, UINT32_MAX, UINT32_MAX + 1, 20 * 2 ** 30])
  gatedTest(`an entry of ${sizeBytes} bytes, and one after it`, [readersObstacle()], () =>
    withFolder(async (folder) => {
      const path = join(folder, "a.zip");
      writeZip(path, [
        { name: "big", data: sizeBytes, roomBytes: HEADER_ROOM_BYTES },
        { name: "last", data: LAST },
      ]);
      const { entries, lasts, names } = await look(path);
      expect(entries).toEqual([
        ["big", sizeBytes, 0],
        ["last", LAST.length, HEADER_ROOM_BYTES + sizeBytes],
      ]);
      // unzip 6.0 takes this one true size for its marker when it comes to the next entry. Cores are whole
      // pages, so it is none of theirs.
      const believed = sizeBytes === UINT32_MAX ? lasts.slice(0, 2) : lasts;
      expect(new Set(believed)).toEqual(new Set(["the last entry"]));
      expect(names).toEqual(["big", "last"]);
    }),
  );

for (const offset of [UINT32_MAX - 1, UINT32_MAX, UINT32_MAX + 1])
  gatedTest(`an entry that begins at ${offset}`, [readersObstacle()], () =>
    withFolder(async (folder) => {
      const path = join(folder, "a.zip");
      writeZip(path, [
        { name: "big", data: offset - HEADER_ROOM_BYTES, roomBytes: HEADER_ROOM_BYTES },
        { name: "last", data: LAST },
      ]);
      const { entries, lasts } = await look(path);
      expect(entries[1]).toEqual(["last", LAST.length, offset]);
      expect(new Set(lasts)).toEqual(new Set(["the last entry"]));
    }),
  );

gatedTest("a directory that itself begins at 4 GiB - 1", [readersObstacle()], () =>
  withFolder(async (folder) => {
    const path = join(folder, "a.zip");
    const lastBytes = formatLocalHeader({ ...EMPTY, name: "last" }, MODIFIED).length;
    const big = UINT32_MAX - HEADER_ROOM_BYTES - lastBytes - LAST.length;
    writeZip(path, [
      { name: "big", data: big, roomBytes: HEADER_ROOM_BYTES },
      { name: "last", data: LAST },
    ]);
    const { lasts } = await look(path);
    expect(new Set(lasts)).toEqual(new Set(["the last entry"]));
  }),
);

for (const count of [65_535, 65_536])
  gatedTest(`${count} entries`, [readersObstacle()], () =>
    withFolder(async (folder) => {
      const path = join(folder, "a.zip");
      const nothing = new Uint8Array(0);
      const contents = Array.from({ length: count - 1 }, (_, i) => ({
        name: `${i}`,
        data: nothing,
      }));
      writeZip(path, [...contents, { name: "last", data: LAST }]);
      const { entries, lasts, names } = await look(path);
      expect([entries.length, names.length]).toEqual([count, count]);
      expect(new Set(lasts)).toEqual(new Set(["the last entry"]));
    }),
  );

gatedTest("small zips are plain ones, which any old reader takes", [readersObstacle()], () =>
  withFolder(async (folder) => {
    const path = join(folder, "a.zip");
    writeZip(path, [
      { name: "a", data: LAST, roomBytes: HEADER_ROOM_BYTES },
      { name: "b", data: LAST },
      { name: "empty", data: new Uint8Array(0) },
    ]);
    for (const reading of await readWithAll(path))
      expect(reading).toMatchObject({ ok: true, sizes: { a: 14, b: 14, empty: 0 } });
    const info = await runTool(["unzip", "-Zv", path]);
    expect(info).not.toContain("4.5");
    expect(info).toContain("minimum software version required to extract:   2.0");
    expect(info).toContain("2026 Nov 22 05:06:08");
  }),
);

test("a header fills its room to the byte, and refuses one that is too small", () => {
  const entry = { ...EMPTY, name: "a" };
  const used = formatLocalHeader(entry, MODIFIED).length;
  for (const room of [used, used + 8, used + 9, HEADER_ROOM_BYTES, 60_000])
    expect(formatLocalHeader(entry, MODIFIED, room)).toHaveLength(room);
  for (const room of [used - 1, used + 1, used + 7])
    expect(() => formatLocalHeader(entry, MODIFIED, room)).toThrow(RangeError);
});

test("filler is what any reader can skip: an id, its length, zeros", () => {
  const filler = Buffer.from(fillerExtra(100));
  expect([filler.length, filler.readUInt16LE(2)]).toEqual([100, 96]);
  expect(fillerExtra(0)).toHaveLength(0);
  expect(fillerExtra(65_539)).toHaveLength(65_539);
  expect(() => fillerExtra(65_540)).toThrow(RangeError);
});

test("times that ZIP cannot hold are moved to the nearest that it can", () => {
  const year = (at: Date) => (dosTime(at) >>> 25) + 1980;
  expect(year(new Date(0))).toBe(1980);
  expect(year(new Date("2099-01-01T00:00:00Z"))).toBe(2099);
  expect(year(new Date("9999-01-01T00:00:00Z"))).toBe(2107);
});
