// `explain` and what `info` shows of it: of a core, of a zip, of a summary that anybody may have written.
import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { zipSync, type Zippable } from "fflate";
import { openFileSource } from "../../../src/store/byte-source.ts";
import { openDumpZip } from "../../../src/reading/dump-zip.ts";
import { explainFile, explainShortly } from "../../../src/reading/explain-file.ts";
import { formatExplanation, formatShortExplanation } from "../../../src/reading/explanation.ts";
import type { CrashSummary } from "../../../src/model/crash-summary.ts";
import { failureOf } from "../../support/failure.ts";
import { EXECUTE, READ, syntheticCore, words, X86 } from "../../support/synthetic-core.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const [CODE, HEAP, STACK] = [0x40_0000n, 0x1000_0000n, 0x7ff0_0000_0000n];

/** Two frames by the frame pointer; before the stack lies a heap of so many bytes. */
function coreWithHeap(heapBytes: number): Buffer {
  return syntheticCore({
    threads: [
      { tid: 7, registers: { [X86.rip]: CODE + 0x10n, [X86.rsp]: STACK, [X86.rbp]: STACK } },
    ],
    signal: [11, 1, 0x10n],
    memory: [
      { address: CODE, bytes: Buffer.alloc(0x1000, 0xe8), flags: READ | EXECUTE },
      { address: HEAP, bytes: Buffer.alloc(heapBytes) },
      { address: STACK, bytes: words([0n, CODE + 0x20n, ...Array<bigint>(62).fill(0n)]) },
    ],
  });
}

const CORE = coreWithHeap(4096);
/** Too long to be kept whole when it is unpacked. */
const LARGE_CORE = coreWithHeap(9 << 20);
const TITLE = "SIGSEGV (crashes)";

async function zipped(folder: string, entries: Zippable): Promise<string> {
  const path = join(folder, "T.zip");
  const info = Buffer.from(JSON.stringify({ timestamp: "1700000000", container_index: 1 }));
  await writeFile(path, zipSync({ "T-dump-info.json": [info, { level: 0 }], ...entries }));
  return path;
}

const frames = (summary: CrashSummary) =>
  summary.crashing_thread?.frames.map(({ address, trust }) => `${address} ${trust}`);

test.each([
  ["stored", 0],
  ["deflated", 6],
] as const)("a core that is %s in a zip is explained as one that is a file", async (_, level) => {
  await withFolder(async (folder) => {
    const path = await zipped(folder, { "T.core": [LARGE_CORE, { level }] });
    const summary = await explainFile(path, {});
    await writeFile(join(folder, "core"), LARGE_CORE);
    expect(summary).toEqual(await explainFile(join(folder, "core"), {}));
    expect(summary.title).toBe(TITLE);
    expect(frames(summary)).toEqual(["0x400010 context", "0x400020 frame_pointer"]);
  });
});

test("a core that is damaged or cut is explained as far as it goes, and the summary says so", async () => {
  await withFolder(async (folder) => {
    const path = await zipped(folder, { "T.core": [LARGE_CORE, { level: 1 }] });
    const bytes = Buffer.from(await Bun.file(path).arrayBuffer());
    const middle = bytes.indexOf("T.core") + 3000;
    await writeFile(
      path,
      Buffer.concat([
        bytes.subarray(0, middle),
        Buffer.alloc(200, 0xff),
        bytes.subarray(middle + 200),
      ]),
    );
    const summary = await explainFile(path, {});
    expect(summary.signal?.fault_address).toBe("0x10");
    expect(summary.incomplete[0]).toMatchObject({ what: "core" });
    const cut = await zipped(folder, { "T.core": [LARGE_CORE.subarray(0, 2000), { level: 6 }] });
    expect((await explainFile(cut, {})).title).toBe(TITLE);
  });
});

test("the log of the container that crashed is looked at for a panic, no other", async () => {
  await withFolder(async (folder) => {
    const path = await zipped(folder, {
      "T.core": CORE,
      "T-0.log": Buffer.from("panic: another's\n"),
      "T-1.log": Buffer.from("panic: its own\n"),
    });
    expect((await explainFile(path, {})).panic).toEqual({
      text: "panic: its own",
      source: "log",
      language: "go",
    });
  });
});

test("what is neither a core nor a dump is refused in words", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "text"), "hello");
    expect(await failureOf(explainFile(join(folder, "text"), {}))).toContain("cannot be read");
    await writeFile(join(folder, "program"), CORE.fill(2, 16, 17));
    expect(await failureOf(explainFile(join(folder, "program"), {}))).toContain("no core");
    CORE.fill(4, 16, 17);
    const path = await zipped(folder, { "T.core": Buffer.from("no core at all") });
    expect(await failureOf(explainFile(path, {}))).toContain("no ELF file");
    expect(await failureOf(explainFile(join(folder, "none"), {}))).toContain("none");
  });
});

test("info shows a short form; of what cannot be explained, nothing", async () => {
  await withFolder(async (folder) => {
    const short = async (entries: Zippable) => {
      const source = await openFileSource(await zipped(folder, entries));
      const lines = await explainShortly(await openDumpZip(source));
      await source.close();
      return lines;
    };
    expect((await short({ "T.core": CORE }))[0]).toBe(`crash       ${TITLE}`);
    expect(await short({ "T.core": Buffer.from("no core") })).toEqual([]);
    expect(await short({})).toEqual([]);
  });
});

test("the dump's own summary is shown, and cannot do more than that", async () => {
  await withFolder(async (folder) => {
    const hostile = {
      schema: 1,
      title: "SIGSEGV in \u001b[2Jgone\u202e ← a\nforged line",
      signal: { name: { toString: 1 }, sentence: ["x"], code: "NaN" },
      process: { exe: "/bin/\u0007app", threads: "many" },
      crashing_thread: {
        tid: "x",
        frames: [
          ...Array.from({ length: 2000 }, () => ({ function: "f".repeat(1000), trust: "certain" })),
          7,
          null,
        ],
      },
      threads: [{ count: {}, frames: "none" }],
      fingerprint: null,
    };
    const path = await zipped(folder, {
      "T.core": CORE,
      "T-summary.json": Buffer.from(JSON.stringify(hostile)),
    });
    const text = formatExplanation(await explainFile(path, {}), 80);
    expect(text).toStartWith("SIGSEGV in \\u001b[2Jgone\\u202e ← a\\u000aforged line\n");
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/u);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    // Asked for by a place of modules, the core is looked at again.
    expect((await explainFile(path, { modules: folder })).title).toBe(TITLE);
    const broken = await zipped(folder, { "T.core": CORE, "T-summary.json": Buffer.from("[[") });
    expect((await explainFile(broken, {})).title).toBe(TITLE);
  });
});

test("a narrow terminal and long names stay within the columns", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "core"), CORE);
    const summary = await explainFile(join(folder, "core"), {});
    summary.title = `SIGSEGV in ${"x".repeat(300)} ← ${"name ".repeat(50)}`;
    for (const columns of [20, 40, 80, 200])
      for (const line of formatExplanation(summary, columns).split("\n"))
        expect(line.length).toBeLessThanOrEqual(Math.max(40, columns));
  });
});

test("info begins at the frame that shows whose bug it is", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "core"), CORE);
    const summary = await explainFile(join(folder, "core"), {});
    const thread = summary.crashing_thread;
    const [frame] = thread?.frames ?? [];
    if (thread === null || frame === undefined) throw new Error("no frame");
    const names = ["raise", "abort", "panic", "culprit", "caller", "main"];
    thread.frames = names.map((name, index) => ({
      ...frame,
      address: `0x${index}`,
      function: name,
      demangled: null,
    }));
    const shown = (fault: number | null, most = 2) => {
      thread.fault_frame = fault;
      const lines = formatShortExplanation(summary, 80, most);
      return lines
        .slice(lines.findIndex((line) => line.includes("which crashed")) + 1)
        .map((line) =>
          line
            .trim()
            .split(/ {2,}|\+/u)
            .slice(0, 2)
            .join(" "),
        );
    };
    expect(shown(3)).toEqual([
      "#0 to #2: how the failure was reported",
      "#3 culprit",
      "#4 caller",
      "and 1 more: core-dump-handler explain",
    ]);
    expect(shown(3, 8).at(-1)).toBe("#5 main");
    expect(shown(null)).toEqual(["#0 raise", "#1 abort", "and 4 more: core-dump-handler explain"]);
    // Another version, or anybody, may have written it.
    for (const wrong of [-1, 0.5, 99, Number.NaN]) expect(shown(wrong)[0]).toBe("#0 raise");
  });
});
