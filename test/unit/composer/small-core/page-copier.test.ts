// Memory that does not answer, that is not there, and that nobody has touched.
import { expect, test } from "bun:test";
import { closeSync } from "node:fs";
import { openHeldPages } from "../../../../src/composer/small-core/held-pages.ts";
import { CoreSegments } from "../../../../src/composer/small-core/core-segments.ts";
import { MappedFiles } from "../../../../src/composer/small-core/mapped-files.ts";
import { CopyStopped, PageCopier } from "../../../../src/composer/small-core/page-copier.ts";
import { PAGE, type PageMemory } from "../../../../src/composer/small-core/page-memory.ts";
import { openMemorySpace } from "../../../../src/host/memory-file.ts";
import { readPageSize } from "../../../../src/host/page-size.ts";

const BYTES = 4096;

/** One segment of `pages` pages from page 100 on, of which the kernel would write all but the last. */
function segmentsOf(pages: number): CoreSegments {
  const segments = new CoreSegments(1, BYTES);
  const row = Buffer.alloc(56);
  row.writeUInt32LE(1, 0);
  row.writeUInt32LE(6, 4);
  row.writeBigUInt64LE(BigInt(100 * BYTES), 16);
  row.writeBigUInt64LE(BigInt((pages - 1) * BYTES), 32);
  row.writeBigUInt64LE(BigInt(pages * BYTES), 40);
  segments.add(row);
  return segments;
}

/** NT_FILE with one mapping, in pages. */
function fileNote(start: number, end: number): Buffer {
  const note = Buffer.alloc(40);
  const words = [1, BYTES, start * BYTES, end * BYTES, 0];
  for (const [index, word] of words.entries()) note.writeBigUInt64LE(BigInt(word), index * 8);
  return note;
}

async function withCopier<T>(
  memory: Partial<PageMemory>,
  run: (copier: PageCopier) => Promise<T>,
  {
    pages = 50,
    maxPages = 1000,
    note = Buffer.alloc(0),
  }: { pages?: number; maxPages?: number; note?: Buffer } = {},
): Promise<T> {
  const space = openMemorySpace("test-pages");
  const all: PageMemory = {
    states: (_, count) => Promise.resolve(new Uint8Array(count).fill(PAGE.there)),
    read: (first, into) => {
      for (let at = 0; at < into.length; at += BYTES) into.fill(first + at / BYTES, at, at + BYTES);
      return Promise.resolve(into.length);
    },
    close: () => undefined,
    ...memory,
  };
  const files = new MappedFiles(note, BYTES);
  try {
    return await run(
      new PageCopier({ memory: all, segments: segmentsOf(pages), files, space, maxPages }),
    );
  } finally {
    closeSync(space);
  }
}

const at = (page: number) => BigInt(page * BYTES);

test("pages come once, in whatever order they are asked for, and no further than the kernel writes", () =>
  withCopier({}, async (copier) => {
    await copier.take(120, 125);
    await copier.take(0, 1_000_000);
    await copier.take(110, 140);
    expect(copier.kept).toBe(49);
    for (const page of [100, 119, 120, 124, 125, 148])
      expect(copier.read(at(page), 1)[0]).toBe(page);
    expect(copier.read(at(148) + 4000n, 200).length).toBe(96);
    expect(copier.read(at(149), 8).length).toBe(0);
  }));

test("what nobody has touched is zeros, but not where a file is mapped", () => {
  const states = (_: number, count: number) =>
    Promise.resolve(new Uint8Array(count).fill(PAGE.untouched));
  return withCopier(
    { states },
    async (copier) => {
      await copier.take(100, 120);
      expect(copier.read(at(100), 5 * BYTES)).toEqual(Buffer.alloc(5 * BYTES));
      expect(copier.read(at(105), 8).length).toBe(0);
      expect(copier.read(at(108), 8)).toEqual(Buffer.alloc(8));
    },
    { note: fileNote(105, 108) },
  );
});

test("a page that cannot be read costs that page alone", () => {
  const read = (first: number, into: Buffer) =>
    Promise.resolve(
      first > 110 ? into.length : Math.max(0, Math.min(110 - first, into.length / BYTES)) * BYTES,
    );
  return withCopier({ read }, async (copier) => {
    await copier.take(100, 120);
    expect(copier.kept).toBe(19);
    expect(copier.read(at(110), 8).length).toBe(0);
  });
});

test("there is a limit to what is kept", () =>
  withCopier(
    {},
    async (copier) => {
      await copier.take(100, 149);
      expect([copier.kept, copier.isFull]).toEqual([10, true]);
    },
    { maxPages: 10 },
  ));

test("a read that nobody answers is given up, and what was there before stays", async () => {
  const never = new Promise<never>(() => undefined);
  const read = (first: number, into: Buffer) =>
    first >= 110 ? never : Promise.resolve(into.length);
  await withCopier({ read }, async (copier) => {
    await copier.take(100, 105);
    const waiting = copier.take(110, 120);
    copier.stop();
    expect(waiting).rejects.toBeInstanceOf(CopyStopped);
    expect(copier.take(106, 107)).rejects.toBeInstanceOf(CopyStopped);
    await Promise.allSettled([waiting]);
    expect(copier.read(at(104), 8).length).toBe(8);
  });
});

test("this process's own memory is there as far as it was touched", async () => {
  const pageBytes = readPageSize("/proc");
  const held = { pid: process.pid, startTime: "", pidfd: undefined };
  const memory = openHeldPages("/proc", held, process.pid, pageBytes);
  const maps = await Bun.file("/proc/self/maps").text();
  const stack = /^\w+-(\w+) rw-p .*\[stack\]$/m.exec(maps)?.[1] ?? "0";
  const last = Number(BigInt(`0x${stack}`) / BigInt(pageBytes)) - 1;
  expect((await memory.states(last, 1))[0]).toBe(PAGE.there);
  const page = Buffer.alloc(pageBytes);
  expect(await memory.read(last, page)).toBe(pageBytes);
  // The program's name stands at the stack's end.
  expect(page.toString("latin1")).toContain("bun");
  expect(await memory.read(0, page)).toBe(0);
  expect((await memory.states(0, 1))[0]).toBe(PAGE.untouched);
  memory.close();
});
