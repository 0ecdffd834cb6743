// How each runtime ends a program for real, and what of its last words a summary is to have. `bun test/support/panics.ts`
// runs those that are installed here and records their logs in test/fixtures/panics, which the unit tests read.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildCrashes, buildObstacle, EXPLAIN_SOURCES, type CrashBuild } from "./crash-builds.ts";
import { findProgram, missingProgram } from "./gate.ts";
import { realPython } from "./real-python.ts";
import { runTool } from "./run-tool.ts";

export const PANIC_LOGS = join(import.meta.dir, "../fixtures/panics");

export interface Panic {
  /** The recorded log's name, without ".log". */
  name: string;
  language: string;
  /** What the summary has of it. */
  text: RegExp;
  obstacle: () => string | undefined;
  /** `folder` is for what has to be compiled. */
  command: (folder: string) => Promise<string[]>;
  environment?: Record<string, string>;
}

const built = (build: CrashBuild, kind: string) => ({
  obstacle: () => buildObstacle(build),
  command: async () => [await buildCrashes(build), kind],
});
const python = (...words: string[]) => ({
  obstacle: () => missingProgram("python3"),
  command: async () => [await realPython(), ...words],
});
const node = (...words: string[]) => ({
  obstacle: () => missingProgram("node"),
  command: async () => [await realPath("node"), ...words],
});
const java = (source: string, ...words: string[]) => ({
  obstacle: () => missingProgram("javac"),
  command: async (folder: string) => {
    await runTool(["javac", "-nowarn", "-d", folder, join(EXPLAIN_SOURCES, `${source}.java`)]);
    const report = `-XX:ErrorFile=${join(folder, "hs_err.log")}`;
    return [await realPath("java"), "-Xmx64m", report, "-cp", folder, ...words];
  },
});
const realPath = async (program: string) => realpath(findProgram(program) ?? program);

const GO = { GOTRACEBACK: "crash" };
const RUST = { RUST_BACKTRACE: "1" };
const NODE_CALLS = "function inner(o) { return o.x.y } function outer() { inner({}) } outer()";

export const PANICS: readonly Panic[] = [
  {
    name: "go-nil",
    language: "go",
    text: /^panic: runtime error: invalid memory address or nil pointer dereference\n\[signal SIGSEGV/u,
    environment: GO,
    ...built("go", "goroutine"),
  },
  {
    name: "go-panic",
    language: "go",
    text: /^panic: told to$/u,
    environment: GO,
    ...built("go", "panic"),
  },
  {
    name: "go-map",
    language: "go",
    text: /^fatal error: concurrent map writes$/u,
    environment: GO,
    ...built("go", "map"),
  },
  {
    name: "rust-panic",
    language: "rust",
    text: /^thread 'main' .*panicked at .*crashes\.rs:\d+:\d+:\nindex out of bounds: the len is 2 but the index is 10$/u,
    ...built("rust", "panic"),
  },
  {
    name: "rust-thread",
    language: "rust",
    text: /^thread 'worker' .*panicked at .*\nindex out of bounds: the len is 1 but the index is 7$/u,
    environment: RUST,
    ...built("rust", "thread"),
  },
  {
    name: "python-fault",
    language: "python",
    text: /^Fatal Python error: Segmentation fault\nFile ".*ctypes.*", line \d+ in string_at$/u,
    ...python("-S", "-X", "faulthandler", join(EXPLAIN_SOURCES, "crash.py")),
  },
  {
    name: "python-fatal",
    language: "python",
    text: /^Fatal Python error: .*broken beyond repair\nFile "<string>", line 1 in <module>$/u,
    ...python("-S", "-c", "import ctypes; ctypes.pythonapi.Py_FatalError(b'broken beyond repair')"),
  },
  {
    name: "python-exception",
    language: "python",
    text: /^File "<string>", line 4, in inner\nZeroDivisionError: division by zero$/u,
    // Uncaught, and then the process ends as whoever watches it wants to: by a signal.
    ...python(
      "-S",
      "-c",
      "import os, sys\nold = sys.excepthook\nsys.excepthook = lambda *found: (old(*found), os.abort())\ndef inner(n): return 1 / n\ninner(0)",
    ),
  },
  {
    name: "java-fault",
    language: "java",
    text: /^SIGSEGV \(0xb\) at pc=.*\nV {2}\[libjvm\.so\+0x[0-9a-f]+\] {2}Unsafe_PutInt\+0x[0-9a-f]+\n.*hs_err\.log$/u,
    ...java("Crash", "Crash"),
  },
  {
    name: "java-memory",
    language: "java",
    text: /^Internal Error .*\nfatal error: OutOfMemory encountered: Java heap space\n.*hs_err\.log$/u,
    ...java("Uncaught", "-XX:+CrashOnOutOfMemoryError", "Uncaught", "memory"),
  },
  {
    name: "node-memory",
    language: "node",
    text: /^FATAL ERROR: .*JavaScript heap out of memory$/u,
    ...node(
      "--max-old-space-size=20",
      "-e",
      "const a = []; for (;;) a.push(new Array(1000).fill(1.5))",
    ),
  },
  {
    name: "node-exception",
    language: "node",
    text: /^TypeError: Cannot read properties of undefined \(reading 'y'\)\nat inner \(/u,
    ...node("--abort-on-uncaught-exception", "-e", NODE_CALLS),
  },
  {
    name: "cpp-exception",
    language: "c++",
    text: /^terminate called after throwing an instance of 'std::out_of_range'\n {2}what\(\): {2}no such item$/u,
    ...built("cc-O2", "exception"),
  },
  {
    name: "cpp-virtual",
    language: "c++",
    text: /^pure virtual method called$/u,
    ...built("cc-O0", "virtual"),
  },
  {
    name: "glibc-assert",
    language: "glibc",
    text: /^crashes: .*: check_input: Assertion `count == 1' failed\.$/u,
    ...built("c-O0", "assert"),
  },
  {
    name: "glibc-heap",
    language: "glibc",
    text: /^double free or corruption/u,
    ...built("c-O0", "double_free"),
  },
  {
    name: "glibc-stack",
    language: "glibc",
    text: /^\*\*\* stack smashing detected \*\*\*: terminated$/u,
    ...built("c-O0", "smash"),
  },
];

export interface Ended {
  pid: number;
  /** stdout and stderr, as a container runtime would log them. */
  log: string;
}

/** Runs it to its end, in a folder in which it may leave a core. */
export async function runPanic(
  { command, environment = {} }: Panic,
  folder: string,
): Promise<Ended> {
  const words = [
    "sh",
    "-c",
    'ulimit -c unlimited; exec "$@" 2>&1',
    "sh",
    ...(await command(folder)),
  ];
  const child = Bun.spawn(words, {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...environment },
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 120_000,
    killSignal: "SIGKILL",
  });
  const log = await child.stdout.text();
  await child.exited;
  return { pid: child.pid, log };
}

if (import.meta.main) {
  const { withCoreFiles } = await import("./core-files.ts");
  await withCoreFiles(async () => {
    for (const panic of PANICS) {
      const obstacle = panic.obstacle();
      if (obstacle !== undefined) {
        console.log(`${panic.name}: ${obstacle}`);
        continue;
      }
      const folder = mkdtempSync(join(tmpdir(), "core-dump-handler-test-"));
      try {
        const { log } = await runPanic(panic, folder);
        // Where this machine keeps the sources is nobody's business.
        const neutral = log
          .replaceAll(join(import.meta.dir, "../.."), "/src")
          .replaceAll(folder, "/tmp");
        writeFileSync(join(PANIC_LOGS, `${panic.name}.log`), neutral);
        console.log(`${panic.name}: ${neutral.length} characters`);
      } finally {
        rmSync(folder, { recursive: true });
      }
    }
  });
}
