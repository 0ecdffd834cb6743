// Programs that crash for real: C sources in test/fixtures/crash, built with cc on first use, run under
// a deadline. Who collects their cores is the caller's business.
import { mkdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { findProgram } from "./gate.ts";

const SOURCES = join(import.meta.dir, "../fixtures/crash");
const BUILT = join(import.meta.dir, "../../out/crash");

export type CrashProgram =
  | "segfault"
  | "abort"
  | "manyfiles"
  | "mapping"
  | "sparse"
  | "stalled"
  | "stranger"
  | "threads"
  | "trapped"
  | "renamed"
  | "vast"
  | "sleeper";

export interface CrashEnd {
  exitCode: number | null;
  signalCode: string | number | null;
  /** From the crash (or from the start, where the program crashes by itself) to the process's end. */
  heldMs: number;
}

export interface Sleeper {
  pid: number;
  /** Sends the signal and waits for the process's end, i.e. until its core is taken. */
  crash(signal?: NodeJS.Signals): Promise<CrashEnd>;
  /** Kills and reaps it, whatever state it is in. */
  end(): Promise<void>;
}

/** Why no C program can be built here, or undefined. */
export function compilerObstacle(): string | undefined {
  return findProgram("cc") === undefined ? "needs cc (a C compiler)" : undefined;
}

const building = new Map<CrashProgram, Promise<string>>();

/** The built program's path. Built again when its source is newer; once for all who ask at the same time. */
export function buildCrashProgram(name: CrashProgram): Promise<string> {
  const built = building.get(name) ?? buildIfStale(name);
  building.set(name, built);
  return built;
}

async function buildIfStale(name: CrashProgram): Promise<string> {
  const source = join(SOURCES, `${name}.c`);
  const program = join(BUILT, name);
  if ((await modifiedMs(program)) > (await modifiedMs(source))) return program;
  await mkdir(BUILT, { recursive: true });
  // Another test process may be running the old one, or building at the same time.
  const unfinished = `${program}.${process.pid}`;
  const compiler = Bun.spawn(["cc", "-g", "-O0", "-pthread", "-o", unfinished, source], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if ((await compiler.exited) !== 0) throw new Error(`cc could not build ${source}`);
  await rename(unfinished, program);
  return program;
}

/** Runs a program that crashes by itself. Killed after timeoutMs, then signalCode is SIGKILL. */
export async function runCrash(
  name: CrashProgram,
  args: readonly string[] = [],
  { timeoutMs = 60_000 }: { timeoutMs?: number } = {},
): Promise<CrashEnd> {
  const program = await buildCrashProgram(name);
  const startedMs = performance.now();
  const child = Bun.spawn([program, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  await child.exited;
  return endOf(child, startedMs);
}

/** Starts a program that prepares itself, says "ready" and waits for the signal to crash by. */
export async function startSleeper(
  name: "sleeper" | "mapping" | "sparse" | "vast",
  args: readonly string[] = [],
  { timeoutMs = 120_000 }: { timeoutMs?: number } = {},
): Promise<Sleeper> {
  const program = await buildCrashProgram(name);
  const child = Bun.spawn([program, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  const { value, done } = await child.stdout.getReader().read();
  if (done || !new TextDecoder().decode(value).startsWith("ready"))
    throw new Error(`${name} did not get ready`);
  return {
    pid: child.pid,
    async crash(signal = "SIGSEGV") {
      const startedMs = performance.now();
      child.kill(signal);
      await child.exited;
      return endOf(child, startedMs);
    },
    async end() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

function endOf(
  child: { exitCode: number | null; signalCode: string | number | null },
  startedMs: number,
): CrashEnd {
  const { exitCode, signalCode } = child;
  return { exitCode, signalCode, heldMs: performance.now() - startedMs };
}

async function modifiedMs(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return -1;
    throw error;
  }
}
