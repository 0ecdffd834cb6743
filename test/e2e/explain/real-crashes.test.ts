// Real crashes, explained by us and seen by gdb in the same cores: the same frames in the same order, for at least 95 %
// of the threads without generated code; what library and kernel say of the cause; one id for one bug.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explainCore } from "../../../src/explain/explain.ts";
import { openFileBytes } from "../../../src/host/file-bytes.ts";
import { openLocalModules } from "../../../src/host/local-modules.ts";
import type { CrashSummary } from "../../../src/model/crash-summary.ts";
import {
  buildCrashes,
  buildObstacle,
  EXPLAIN_SOURCES,
  type CrashBuild,
} from "../../support/crash-builds.ts";
import { crashInDebugger, type DebuggedThread } from "../../support/debugged-core.ts";
import { findProgram, gatedTest, missingProgram } from "../../support/gate.ts";
import { compareStacks, differingNames, unwindCore } from "../../support/unwound-core.ts";

const needsGdb = missingProgram("gdb");
const LEAST_AGREEMENT = 0.95;
const FOLDER = mkdtempSync(join(tmpdir(), "core-dump-handler-test-"));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

/** Each is another bug, in another function. */
const KINDS = [
  "null_write",
  "double_free",
  "overflow",
  "handler",
  "call_null",
  "divide",
  "past_end",
  "assert",
  "smash",
  "threads",
] as const;
type Kind = (typeof KINDS)[number];

interface Crash {
  core: string;
  program: string;
  threads: DebuggedThread[];
}

const crashes = new Map<string, Promise<Crash>>();

/** Made once for all tests of this file. */
function crashOf(build: CrashBuild, kind: string): Promise<Crash> {
  const key = `${build}-${kind}`;
  const known = crashes.get(key) ?? makeCrash(build, kind, join(FOLDER, key));
  crashes.set(key, known);
  return known;
}

async function makeCrash(build: CrashBuild, kind: string, core: string): Promise<Crash> {
  const program = await buildCrashes(build);
  return { core, program, threads: await crashInDebugger([program, kind], core) };
}

function explain(core: string): CrashSummary {
  const bytes = openFileBytes(core);
  const modules = openLocalModules({});
  try {
    return explainCore({ core: bytes, modules });
  } finally {
    modules.close();
    bytes.close();
  }
}

function agreementTest(build: CrashBuild, kinds: readonly string[], comparesNames = false): void {
  gatedTest(
    `threads of ${build} have the frames that gdb sees`,
    [needsGdb, buildObstacle(build)],
    async () => {
      let [agreed, threads] = [0, 0];
      const differences: string[] = [];
      for (const kind of kinds) {
        const crash = await crashOf(build, kind);
        const ours = unwindCore(crash.core);
        const found = compareStacks(ours, crash.threads);
        agreed += found.agreed;
        threads += found.threads;
        differences.push(...found.differences.map((line) => `${kind}: ${line}`));
        if (comparesNames) expect(differingNames(ours, crash.threads, crash.program)).toEqual([]);
      }
      console.log(
        [`${build}: ${agreed} of ${threads} threads agree with gdb`, ...differences].join("\n"),
      );
      expect(agreed / threads).toBeGreaterThanOrEqual(LEAST_AGREEMENT);
    },
  );
}

/** The overwritten stack of "smash" leads gdb on to what was written over it. */
const UNHARMED = KINDS.filter((kind) => kind !== "smash");

agreementTest("c-O0", UNHARMED, true);
agreementTest("c-O2", ["null_write", "handler"], true);
agreementTest("c-stripped", ["double_free", "threads"]);
agreementTest("c-static", ["null_write", "handler", "threads"], true);
agreementTest("cc-O0", ["virtual"]);
agreementTest("cc-O2", ["exception", "template"]);
agreementTest("rust", ["thread"]);
agreementTest("go", ["goroutine", "panic"]);

gatedTest(
  "threads of Python have the frames that gdb sees",
  [needsGdb, missingProgram("python3")],
  async () => {
    const core = join(FOLDER, "python");
    const script = join(EXPLAIN_SOURCES, "crash.py");
    const theirs = await crashInDebugger([await realPython(), "-S", script], core);
    expect(compareStacks(unwindCore(core), theirs)).toMatchObject({ differences: [], threads: 4 });
    const crashed = explain(core).crashing_thread;
    const debugged = theirs.find(({ tid }) => tid === crashed?.tid);
    // A Python without symbols has no name for it, in gdb either.
    expect(crashed?.frames[1]?.function ?? null).toBe(debugged?.frames[1]?.name ?? null);
    expect(crashed?.frames.length).toBeGreaterThan(5);
  },
);

/** python3 may be a shell script that finds the real one. */
async function realPython(): Promise<string> {
  const script = "import os, sys; print(os.path.realpath(sys.executable))";
  const child = Bun.spawn([findProgram("python3") ?? "python3", "-c", script]);
  return (await child.stdout.text()).trim();
}

const TITLES: Readonly<Record<Kind, string>> = {
  null_write: "SIGSEGV in descend ← compare ← qsort_r (crashes)",
  double_free:
    "SIGABRT: double free or corruption (!prev) in free ← close_connection ← main (crashes)",
  overflow: "SIGSEGV: stack overflow in overflow (crashes)",
  handler: "SIGABRT in on_signal ← abort_in_handler ← main (crashes)",
  call_null: "SIGSEGV in call_null ← main (crashes)",
  divide: "SIGFPE in divide ← main (crashes)",
  past_end: "SIGBUS in read_past_end ← main (crashes)",
  assert:
    "SIGABRT: crashes.c:LINE: check_input: Assertion `count == 1' failed. in check_input ← main (crashes)",
  smash: "SIGABRT: *** stack smashing detected ***: terminated in smash (crashes)",
  threads: "SIGSEGV in descend ← crash_beside ← main (crashes)",
};

gatedTest(
  "the title says what happened, and where",
  [needsGdb, buildObstacle("c-O0")],
  async () => {
    for (const kind of KINDS) {
      const { title } = explain((await crashOf("c-O0", kind)).core);
      expect(title.replace(/crashes\.c:\d+/, "crashes.c:LINE")).toBe(TITLES[kind]);
    }
  },
);

gatedTest(
  "musl, which has no call frame information, is walked by the calls that lead on",
  [needsGdb, buildObstacle("c-musl")],
  async () => {
    const frames = explain((await crashOf("c-musl", "assert")).core).crashing_thread?.frames ?? [];
    const names = frames.map(({ function: name, trust }) => `${name} ${trust}`);
    expect(names.slice(1, 5)).toEqual([
      "raise call",
      "abort call",
      "__assert_fail call",
      "check_input call",
    ]);
    expect(names[5]).toBe("main cfi");
    const { fingerprint } = explain((await crashOf("c-musl", "null_write")).core);
    expect(fingerprint.frames).toEqual(["descend", "compare", "qsort_r", "null_write", "main"]);
  },
);

const FINGERPRINTED = (
  ["c-O0", "c-O2", "c-stripped", "c-static", "c-musl-static", "c-clang-O2"] as const
).filter((build) => buildObstacle(build) === undefined);

gatedTest(
  "two bugs never share an id, and one bug's builds with symbols have the same",
  [needsGdb, buildObstacle("c-O0")],
  async () => {
    const ids = new Map<Kind, Map<CrashBuild, string>>();
    for (const kind of KINDS) {
      const made = FINGERPRINTED.map(
        async (build) =>
          [build, explain((await crashOf(build, kind)).core).fingerprint.bug] as const,
      );
      ids.set(kind, new Map(await Promise.all(made)));
    }
    console.table(
      Object.fromEntries([...ids].map(([kind, row]) => [kind, Object.fromEntries(row)])),
    );
    const owners = new Map<string, Kind>();
    for (const [kind, row] of ids)
      for (const id of row.values()) {
        expect(owners.get(id) ?? kind).toBe(kind);
        owners.set(id, kind);
      }
    for (const [kind, row] of ids) expect([kind, row.get("c-O2")]).toEqual([kind, row.get("c-O0")]);
  },
);

test("two modules of one name and two builds are told apart by what the core has of them", async () => {
  if (needsGdb !== undefined || buildObstacle("c-O0") !== undefined) return;
  const { core, program } = await crashOf("c-O0", "divide");
  const other = await buildCrashes("c-O2");
  const bytes = openFileBytes(core);
  const summary = explainCore({
    core: bytes,
    modules: { find: ({ path }) => [{ bytes: openFileBytes(path === program ? other : path) }] },
  });
  expect(summary.modules.find(({ path }) => path === program)?.other_build).toBe(true);
  expect(summary.crashing_thread?.frames[0]?.function).toBeNull();
  expect(summary.incomplete).toContainEqual({
    what: program,
    why: "the file that was found is another build's",
  });
});
