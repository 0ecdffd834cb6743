// Real crashes, whose cores gdb writes, so that no kernel setting has to change: what their titles say, and what holds of
// a C library and of files that tell less. How the stacks agree with gdb's is in kernel/debugger-agreement.test.ts.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explainCore } from "../../../src/explain/explain.ts";
import { openFileBytes } from "../../../src/host/file-bytes.ts";
import { openLocalModules } from "../../../src/host/local-modules.ts";
import type { CrashSummary } from "../../../src/model/crash-summary.ts";
import { buildCrashes, buildObstacle, type CrashBuild } from "../../support/crash-builds.ts";
import { crashInDebugger } from "../../support/debugged-core.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";

const needsGdb = missingProgram("gdb");
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
  "trap",
  "threads",
] as const;
type Kind = (typeof KINDS)[number];

const crashes = new Map<string, Promise<Crash>>();

interface Crash {
  core: string;
  program: string;
}

/** Made once for all tests of this file. */
function crashOf(build: CrashBuild, kind: string): Promise<Crash> {
  const key = `${build}-${kind}`;
  const known = crashes.get(key) ?? makeCrash(build, kind, join(FOLDER, key));
  crashes.set(key, known);
  return known;
}

async function makeCrash(build: CrashBuild, kind: string, core: string): Promise<Crash> {
  const program = await buildCrashes(build);
  await crashInDebugger([program, kind], core);
  return { core, program };
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
  trap: "SIGILL in trap ← main (crashes)",
  threads: "SIGSEGV in descend ← crash_beside ← main (crashes)",
};

gatedTest(
  "the title says what happened, and where",
  [needsGdb, buildObstacle("c-O0")],
  async () => {
    for (const kind of Object.keys(TITLES) as Kind[]) {
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
