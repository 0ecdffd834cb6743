// Programs of many threads that crash (test/fixtures/threads), in every language that people run, and what gdb says of
// a core of theirs.
import { mkdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { findProgram, missingProgram } from "./gate.ts";
import { runTool } from "./run-tool.ts";

const SOURCES = join(import.meta.dir, "../fixtures/threads");
const BUILT = join(import.meta.dir, "../../out/threads");

interface Threaded {
  /** What has to be there, to build and to run it. */
  tools: string[];
  source: string;
  /** Builds OUT from SOURCE; undefined where nothing is built. */
  build?: string[];
  /** Its command, with the number of threads behind it; the first word is what a debugger reads. */
  command: (built: string) => Promise<string[]>;
}

const itself = (built: string) => Promise.resolve([built]);

const PROGRAMS = {
  c: {
    tools: ["gcc"],
    source: "threads.c",
    build: ["gcc", "-O0", "-g", "-pthread", "-o", "OUT", "SOURCE"],
    command: itself,
  },
  "c++": {
    tools: ["g++"],
    source: "threads.cc",
    build: ["g++", "-O2", "-g", "-pthread", "-o", "OUT", "SOURCE"],
    command: itself,
  },
  rust: {
    tools: ["rustc"],
    source: "threads.rs",
    build: ["rustc", "-g", "-C", "panic=abort", "-o", "OUT", "SOURCE"],
    command: itself,
  },
  go: {
    tools: ["go"],
    source: "go",
    build: ["go", "build", "-C", "SOURCE", "-o", "OUT", "."],
    command: itself,
  },
  node: {
    tools: ["node"],
    source: "threads.mjs",
    command: async () => [
      await said("node", "-p", "process.execPath"),
      join(SOURCES, "threads.mjs"),
    ],
  },
  java: {
    tools: ["java", "javac"],
    source: "Threads.java",
    build: ["javac", "-nowarn", "-d", "OUT", "SOURCE"],
    command: async (built) => [
      await said("readlink", "-f", findProgram("java") ?? "java"),
      "-Xmx256m",
      "-XX:ErrorFile=/dev/null",
      "-cp",
      built,
      "Threads",
    ],
  },
  python: {
    tools: ["python3"],
    source: "threads.py",
    command: async () => [
      await said("python3", "-c", "import os, sys; print(os.path.realpath(sys.executable))"),
      "-S",
      join(SOURCES, "threads.py"),
    ],
  },
} as const satisfies Record<string, Threaded>;

export type ThreadedLanguage = keyof typeof PROGRAMS;
export const THREADED_LANGUAGES = Object.keys(PROGRAMS) as ThreadedLanguage[];

/** Why it cannot be built or run here, or undefined. */
export function threadedObstacle(language: ThreadedLanguage): string | undefined {
  return PROGRAMS[language].tools.map(missingProgram).find((reason) => reason !== undefined);
}

/** Builds it where it is older than its source; the command that runs it with so many threads. */
export async function threadedCommand(
  language: ThreadedLanguage,
  threads: number,
): Promise<string[]> {
  const { source, build, command }: Threaded = PROGRAMS[language];
  const path = join(SOURCES, source);
  const built = join(BUILT, language, "threads");
  const newest = join(path, source === "go" ? "main.go" : "");
  if (build !== undefined && (await modifiedMs(built)) <= (await modifiedMs(newest))) {
    await mkdir(join(BUILT, language), { recursive: true });
    const unfinished = `${built}.${process.pid}`;
    const [compiler = "", ...words] = build.map((word) =>
      word === "OUT" ? unfinished : word === "SOURCE" ? path : word,
    );
    await runTool([findProgram(compiler) ?? compiler, ...words]);
    await Bun.$`rm -rf ${built}`;
    await rename(unfinished, built);
  }
  return [...(await command(built)), String(threads)];
}

/** Runs it to its end, by a signal. Returns its pid. */
export async function crashThreaded(command: readonly string[]): Promise<number> {
  const child = Bun.spawn([...command], {
    cwd: "/",
    env: { PATH: process.env["PATH"], HOME: "/dev/null", GOTRACEBACK: "crash" },
    stdio: ["ignore", "ignore", "ignore"],
    timeout: 120_000,
    killSignal: "SIGKILL",
  });
  await child.exited;
  return child.pid;
}

/** What gdb prints of all threads' stacks. */
export function backtraces(program: string, core: string): Promise<string> {
  const quiet = ["-batch", "-nx", "-iex", "set debuginfod enabled off"];
  return runTool(["gdb", ...quiet, "-ex", "thread apply all bt", program, core], {
    env: { PATH: process.env["PATH"] ?? "", HOME: "/dev/null" },
  });
}

async function said(...command: [string, ...string[]]): Promise<string> {
  const [program, ...words] = command;
  return (await runTool([findProgram(program) ?? program, ...words])).trim();
}

async function modifiedMs(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? -1;
}
