// Copies out of a held process whose memory may be a trap.
import { expect, test } from "bun:test";
import { PAGE, type PageMemory } from "../../../../src/composer/small-core/page-memory.ts";
import type { HeadFacts } from "../../../../src/composer/summary/core-head.ts";
import { HeldCopier } from "../../../../src/composer/summary/held-copy.ts";
import { openMemorySpace } from "../../../../src/host/memory-file.ts";
import { pinHeld } from "../../../../src/host/held-process.ts";
import { failureOf } from "../../../support/failure.ts";

const PAGE_BYTES = 4096;
const STACK = 0x7000_0000n;
const FACTS: HeadFacts = {
  isArm: false,
  pageBytes: PAGE_BYTES,
  signal: 11,
  threads: [{ tid: 1, stackPointer: STACK + 24n }],
  files: [],
  libraryData: undefined,
  programHeaders: undefined,
  vdso: undefined,
};

/** Copies out of this process itself, with `pages` for its memory. */
function copier(pages: PageMemory): HeldCopier {
  const held = pinHeld("/proc", process.pid);
  if (held === undefined) throw new Error("this process is not there");
  const space = openMemorySpace("held-copy-test");
  return new HeldCopier({ procDir: "/proc", held, tid: held.pid, pages, space, startBytes: 0 });
}

/** Pages by their numbers from the stack's on; how many are there. */
const memoryOf = (there: number, read: PageMemory["read"]): PageMemory => ({
  states: async (first, count) =>
    Uint8Array.from({ length: count }, (_, index) =>
      first + index - Number(STACK) / PAGE_BYTES < there ? PAGE.there : PAGE.absent,
    ),
  read,
  close: () => undefined,
});

test("a stack is copied as far as its pages are there", async () => {
  const asked: [number, number][] = [];
  const pages = memoryOf(3, async (first, into) => {
    asked.push([first, into.length]);
    return into.length;
  });
  const { ranges } = await copier(pages).run(FACTS, true);
  expect(asked).toEqual([[Number(STACK) / PAGE_BYTES, 3 * PAGE_BYTES]]);
  expect(ranges).toEqual([{ address: "70000010", offset: 0, sizeBytes: 3 * PAGE_BYTES - 16 }]);
});

test("a read that nobody answers is given up", async () => {
  const isAsked = Promise.withResolvers<void>();
  const pages = memoryOf(1, () => {
    isAsked.resolve();
    return new Promise(() => undefined);
  });
  const running = copier(pages);
  const end = failureOf(running.run(FACTS, true));
  await isAsked.promise;
  running.stop();
  expect(await end).toContain("took too long");
});
