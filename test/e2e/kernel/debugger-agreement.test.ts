// Crashes of every kind of program, whose cores the kernel writes: each of their threads has the frames that gdb sees in
// the same core, in the same order, and its functions the same names. Where a thread differs, the test names it.
import { expect } from "bun:test";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import type { NamedFrame } from "../../../src/explain/frame-symbols.ts";
import { shortName } from "../../../src/explain/short-name.ts";
import {
  buildCrashes,
  buildObstacle,
  EXPLAIN_SOURCES,
  type CrashBuild,
} from "../../support/crash-builds.ts";
import { crashIntoFile, withCoreFiles, withCoresIn } from "../../support/core-files.ts";
import { readInDebugger } from "../../support/debugged-core.ts";
import { findProgram, gatedTest, kernelObstacle, missingProgram } from "../../support/gate.ts";
import { realPython } from "../../support/real-python.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { runTool } from "../../support/run-tool.ts";
import { compareStacks, differingNames, plain, unwindCore } from "../../support/unwound-core.ts";

const obstacles = [kernelObstacle(), missingProgram("gdb")];

/** How many threads agree; the others, and names that differ. */
interface Found {
  agreed: number;
  threads: number;
  differences: string[];
}

const ENVIRONMENT = { GOTRACEBACK: "crash" };

/** Crashes one program in each of these ways. */
async function compare(program: string, ways: readonly string[][]): Promise<Found> {
  return withFolder(async (folder) => {
    const cores = await withCoresIn(folder, async () => {
      const made: { kind: string; core: string }[] = [];
      for (const way of ways) {
        const core = await crashIntoFile(folder, [program, ...way], ENVIRONMENT);
        made.push({ kind: way.at(-1) ?? "", core });
      }
      return made;
    });
    const all: Found = { agreed: 0, threads: 0, differences: [] };
    const compared = cores.map(async ({ kind, core }) => {
      const theirs = await readInDebugger(program, core);
      const ours = unwindCore(core);
      const { agreed, threads, differences } = compareStacks(ours, theirs);
      all.agreed += agreed;
      all.threads += threads;
      const names = await differingNames(ours, theirs, program);
      all.differences.push(...[...differences, ...names].map((line) => `${kind}: ${line}`));
    });
    await Promise.all(compared);
    return all;
  });
}

function report(what: string, { agreed, threads, differences }: Found): void {
  console.log([`${what}: ${agreed} of ${threads} threads agree`, ...differences].join("\n"));
}

const C = [
  "null_write",
  "double_free",
  "overflow",
  "handler",
  "call_null",
  "divide",
  "past_end",
  "assert",
  "trap",
  "threads",
];
const CC = ["exception", "template", "virtual"];

interface Crashes {
  build: CrashBuild;
  kinds: readonly string[];
  /** What gdb is known to get wrong. */
  gdbErrs?: RegExp;
}

const RUST = ["panic", "thread"];
/** Two names of one function, of which debug information has the other. */
const RUST_ALIAS = "rust_begin_unwind is std::panicking::panic_handler in gdb$";

const CRASHES: readonly Crashes[] = [
  { build: "c-O0", kinds: C },
  { build: "c-O2", kinds: C },
  { build: "c-stripped", kinds: C },
  { build: "c-static", kinds: C },
  { build: "c-clang-O2", kinds: C },
  { build: "cc-O0", kinds: CC },
  { build: "cc-O2", kinds: CC },
  { build: "rust", kinds: RUST, gdbErrs: new RegExp(RUST_ALIAS, "u") },
  {
    build: "rust-v0",
    kinds: RUST,
    // main has no call frame information there, and keeps a function's address where gdb looks for its caller's.
    gdbErrs: new RegExp(String.raw`__libc_start_call_main, gdb \w+ null$|${RUST_ALIAS}`, "u"),
  },
  // Not "map": where its threads are then is chance.
  { build: "go", kinds: ["goroutine", "panic"] },
];

for (const { build, kinds, gdbErrs } of CRASHES)
  gatedTest(
    `${build}: every thread has the frames that gdb sees`,
    [...obstacles, buildObstacle(build)],
    async () => {
      const ways = kinds.map((kind) => [kind]);
      const found = await compare(await buildCrashes(build), ways);
      report(build, found);
      expect(found.differences.filter((line) => gdbErrs?.test(line) !== true)).toEqual([]);
    },
  );

gatedTest(
  "Python: every thread has the frames that gdb sees",
  [...obstacles, missingProgram("python3")],
  async () => {
    const script = join(EXPLAIN_SOURCES, "crash.py");
    const found = await compare(await realPython(), [["-S", script]]);
    report("Python", found);
    expect(found.differences).toEqual([]);
  },
);

/** Runtimes that make code as they run: how they crash, and what their own functions are that a whole stack ends in. */
const GENERATING: readonly {
  name: string;
  command: (folder: string) => Promise<string[]>;
  outermost: readonly string[];
}[] = [
  {
    name: "node",
    command: async () => [await realPath("node"), "-e", "process.abort()"],
    outermost: ["node::Start", "_start"],
  },
  {
    name: "java",
    command: async (folder) => {
      await runTool(["javac", "-nowarn", "-d", folder, join(EXPLAIN_SOURCES, "Crash.java")]);
      return [await realPath("java"), "-Xmx64m", "-cp", folder, "Crash"];
    },
    outermost: ["JavaMain", "start_thread"],
  },
];

const realPath = async (program: string) => realpath(findProgram(program) ?? program);

/** V8's own functions in machine code and what is generated have no call frame information: gdb guesses there. */
const isGenerated = ({ module, name }: NamedFrame) =>
  module === undefined || name?.startsWith("Builtins_") === true;

for (const { name, command, outermost } of GENERATING)
  gatedTest(
    `${name}: threads agree with gdb but for generated code, and every stack is walked to its thread's beginning`,
    [...obstacles, missingProgram(name === "java" ? "javac" : name)],
    () =>
      withCoreFiles(async (folder) => {
        const words = await command(folder);
        const [program = ""] = words;
        const core = await crashIntoFile(folder, words);
        const [ours, theirs] = [unwindCore(core), await readInDebugger(program, core)];
        const { agreed, threads, differences } = compareStacks(ours, theirs);
        report(name, { agreed, threads, differences });
        const differing = new Set(differences.map((line) => Number(line.split(" ", 1)[0])));
        for (const { tid, frames } of ours) {
          const last = frames.at(-1);
          // A program without symbols has no name for where it begins.
          const begins = last?.name ?? (last?.module?.path === program ? "_start" : "");
          expect([tid, begins]).toEqual([
            tid,
            expect.stringMatching(/^(?:_start|(?:__)?clone3?)$/u),
          ]);
          const debugged = theirs.find((thread) => thread.tid === tid)?.frames ?? [];
          const known = frames.findIndex((frame) => isGenerated(frame));
          if (!differing.has(tid)) continue;
          expect(known).toBeGreaterThan(0);
          const addresses = frames.map(({ frame }) => `0x${frame.programCounter.toString(16)}`);
          expect(addresses.slice(0, known + 1)).toEqual(
            debugged.slice(0, known + 1).map(({ address }) => address),
          );
        }
        const crashed = new Set(ours[0]?.frames.map((frame) => shortName(frame.name ?? "")));
        expect(outermost.filter((wanted) => !crashed.has(wanted))).toEqual([]);
      }),
  );

/** Their stacks are known from another build of the same source: gdb finds no way through these. */
const BEYOND_GDB: readonly { build: CrashBuild; like: CrashBuild; kinds: readonly string[] }[] = [
  { build: "c-musl", like: "c-O2", kinds: C },
  { build: "c-musl-static", like: "c-O2", kinds: C },
  { build: "go-stripped", like: "go", kinds: ["goroutine", "panic"] },
];

for (const { build, like, kinds } of BEYOND_GDB)
  gatedTest(
    `${build}: the functions on the stack are those of another build, which gdb confirms`,
    [...obstacles, buildObstacle(build), buildObstacle(like)],
    () =>
      withCoreFiles(async (folder) => {
        const functionsOf = async (one: CrashBuild, kind: string) => {
          const program = await buildCrashes(one);
          const core = await crashIntoFile(folder, [program, kind], ENVIRONMENT);
          const frames = unwindCore(core)[0]?.frames ?? [];
          return frames.flatMap(({ name, module }) =>
            name === null || module?.path !== program ? [] : [plain(name)],
          );
        };
        for (const kind of kinds) {
          const expected = (await functionsOf(like, kind)).filter((name) => name !== "start");
          const found = await functionsOf(build, kind);
          // A static program has the C library's functions too.
          expect([kind, ...found.filter((name) => expected.includes(name))]).toEqual([
            kind,
            ...expected,
          ]);
        }
      }),
  );
