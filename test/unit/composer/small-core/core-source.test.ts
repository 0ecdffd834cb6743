import { expect, test } from "bun:test";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AttemptLog } from "../../../../src/composer/attempt.ts";
import { CoreInput } from "../../../../src/composer/core-input.ts";
import {
  CoreSource,
  type CoreSourceContext,
  type WantedContent,
} from "../../../../src/composer/small-core/core-source.ts";
import { parseElfCore } from "../../../../src/explain/elf-core.ts";
import { openCoreMemory } from "../../../../src/explain/core-memory.ts";
import { ElfCoreReader } from "../../../../src/model/core-extent.ts";
import { bytesOf } from "../../../../src/model/random-bytes.ts";
import { syntheticCore, X86 } from "../../../support/synthetic-core.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const PAGE = 4096;
const [STACK, HEAP, POINTED, OTHER_STACK] = [0x7fff0000n, 0x10000000n, 0x20000000n, 0x7ff00000n];
const filled = (pages: number, byte: number) => Buffer.alloc(pages * PAGE, byte);

/** Two threads, a large heap of which one page is pointed at, and as much that nobody needs. */
function sample(): Buffer {
  const stack = filled(16, 1);
  stack.writeBigUInt64LE(POINTED + 5n * 4096n + 8n, 9 * PAGE);
  return syntheticCore({
    threads: [
      { tid: 7, registers: { [X86.rsp]: STACK + 8n * 4096n, [X86.rdi]: HEAP + 3n * 4096n } },
      { tid: 8, registers: { [X86.rsp]: OTHER_STACK + 100n } },
    ],
    signal: [11, 1, 0n],
    memory: [
      { address: HEAP, bytes: filled(300, 2) },
      { address: POINTED, bytes: filled(300, 3) },
      { address: OTHER_STACK, bytes: filled(4, 4) },
      { address: STACK, bytes: stack },
    ],
  });
}

interface Read {
  bytes: Buffer;
  facts: CoreSource["facts"];
  missing: string[];
  isWhole: boolean;
}

function read(
  core: Uint8Array,
  wanted: Partial<WantedContent> = {},
  more: Partial<CoreSourceContext> = {},
): Promise<Read> {
  return withFolder(async (folder) => {
    const path = join(folder, "core");
    writeFileSync(path, core);
    const fd = openSync(path, "r");
    const attempts = new AttemptLog();
    const source = new CoreSource({
      input: CoreInput.open(fd),
      onFirstBytes: () => undefined,
      onSmall: () => Promise.resolve(),
      wanted: () =>
        Promise.resolve({ content: "stacks", fullMaxBytes: 0, maxCoreBytes: 0, ...wanted }),
      place: { kind: "file", fd },
      fileBytes: core.length,
      attempts,
      procDir: "/proc",
      maxMs: 10_000,
      ...more,
    });
    const parts: Buffer[] = [];
    for (;;) {
      const block = Buffer.alloc(10_000);
      const count = await source.readSome(block, 1);
      if (count === 0) break;
      parts.push(block.subarray(1, 1 + count));
    }
    const { facts, isWhole } = source;
    source.close();
    closeSync(fd);
    const missing = attempts.missing.map(({ what, why }) => `${what}: ${why}`);
    return { bytes: Buffer.concat(parts), facts, missing, isWhole };
  });
}

const memoryOf = (bytes: Buffer) => {
  const core = parseElfCore(bytesOf(bytes));
  return { core, memory: openCoreMemory(bytesOf(bytes), core.segments) };
};

test("a small core has the stacks, what they point at, and all threads' registers", async () => {
  const whole = sample();
  const { bytes, facts, missing, isWhole } = await read(whole);
  expect([missing, isWhole]).toEqual([[], true]);
  expect(facts).toEqual({
    core_content: "stacks",
    core_omitted_bytes: whole.length - bytes.length,
  });
  const { core, memory } = memoryOf(bytes);
  expect(core.threads.map(({ tid }) => tid)).toEqual([7, 8]);
  expect(core.threads).toEqual(memoryOf(whole).core.threads);
  expect(memory.read(STACK + 8n * 4096n, 8 * PAGE)).toEqual(
    memoryOf(whole).memory.read(STACK + 8n * 4096n, 8 * PAGE),
  );
  expect(memory.read(OTHER_STACK, 4 * PAGE)).toEqual(filled(4, 4));
  expect(memory.read(HEAP + 3n * 4096n, PAGE)).toEqual(filled(1, 2));
  expect(memory.read(POINTED + 5n * 4096n, PAGE)).toEqual(filled(1, 3));
  for (const absent of [HEAP, HEAP + 4n * 4096n, POINTED + 6n * 4096n, STACK])
    expect(memory.read(absent, 8).length).toBe(0);
  const reader = new ElfCoreReader();
  reader.push(bytes);
  expect(reader.expectedBytes).toBe(bytes.length);
});

test("auto takes a core whole that is no longer than the limit", async () => {
  const whole = sample();
  const small = await read(whole, { content: "auto", fullMaxBytes: whole.length - 1 });
  expect(small.facts.core_content).toBe("stacks");
  const full = await read(whole, { content: "auto", fullMaxBytes: whole.length });
  expect(full.bytes.equals(whole)).toBe(true);
  expect(full).toMatchObject({ facts: { core_content: "full" }, missing: [] });
});

test("where nothing is said against it every core passes as it is", async () => {
  const whole = sample();
  const { bytes, facts, missing } = await read(whole, { content: "full" });
  expect([bytes.equals(whole), missing]).toEqual([true, []]);
  expect(facts).toEqual({ core_content: "full", core_omitted_bytes: 0 });
});

function changed(change: (core: Buffer) => void): Buffer {
  const core = sample();
  change(core);
  return core;
}

const ODD: [string, Buffer, string][] = [
  [
    "no ELF file",
    Buffer.from("not a core at all, and long enough to be looked at".repeat(9)),
    "no core",
  ],
  ["a core of 32 bits", changed((core) => core.writeUInt8(1, 4)), "no core"],
  ["a core of another machine", changed((core) => core.writeUInt16LE(40, 18)), "no core"],
  ["headers elsewhere", changed((core) => core.writeBigUInt64LE(1n << 40n, 32)), "no core"],
  ["no program headers", changed((core) => core.writeUInt16LE(0, 56)), "not usual"],
  [
    "headers without number, and notes beyond all bounds",
    changed((core) => {
      core.writeUInt16LE(0xffff, 56);
      core.writeBigUInt64LE(64n + 56n * 1_000_000_000n, 64 + 8);
    }),
    "too many",
  ],
  ["notes elsewhere", changed((core) => core.writeBigUInt64LE(100_000n, 64 + 8)), "its notes"],
  ["a file that ends early", sample().subarray(0, 500_000), "cut short"],
  ["nothing but a header", sample().subarray(0, 64), "its notes"],
  ["nothing", Buffer.alloc(0), "no core"],
];
for (const [what, core, why] of ODD)
  test(`${what}: all of it is taken, and dump-info says why`, async () => {
    const { bytes, facts, missing } = await read(core);
    expect(bytes.equals(core)).toBe(true);
    expect(facts.core_content).toBe("full");
    expect(missing).toEqual([expect.stringContaining("core_content: the whole core is taken: ")]);
    expect(missing[0]).toContain(why);
  });

test("where nobody is held the whole core is taken", async () => {
  const { bytes, missing } = await read(sample(), {}, { place: undefined, fileBytes: undefined });
  expect(bytes.equals(sample())).toBe(true);
  expect(missing[0]).toContain("nobody is held");
});

test("a process that is gone, or another by now, is not read", async () => {
  const held = { pid: process.pid, startTime: "1", pidfd: undefined };
  const place = { kind: "held", procDir: "/proc", held, tid: process.pid } as const;
  const { bytes, missing } = await read(sample(), {}, { place, fileBytes: undefined });
  expect(bytes.equals(sample())).toBe(true);
  expect(missing[0]).toContain("the process has ended");
});

test("cores with bytes changed at random end, as one of the two", async () => {
  for (let round = 0; round < 150; round++) {
    const core = sample();
    const headBytes = 64 + 56 * 5 + 1200;
    for (let count = 0; count < 1 + (round % 5); count++)
      core[4 + Math.floor(Math.random() * headBytes)] = Math.floor(Math.random() * 256);
    const { bytes, facts } = await read(core);
    if (facts.core_content === "full") expect(bytes.equals(core)).toBe(true);
    else expect(() => memoryOf(bytes)).not.toThrow();
  }
});
