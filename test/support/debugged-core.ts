// Cores made and read by gdb: it runs a program until it crashes, writes the core, and then reads that core, so
// that no kernel setting has to change.
import { join } from "node:path";
import { EXPLAIN_SOURCES } from "./crash-builds.ts";

export interface DebuggedFrame {
  address: string;
  name: string | null;
  /** True for a signal handler's return. */
  signal: boolean;
}

export interface DebuggedThread {
  tid: number;
  frames: DebuggedFrame[];
}

const MARK = "FRAMES";
const QUIET = ["-batch", "-nx", "-iex", "set debuginfod enabled off"];
/** Beyond main and the entry point too, as far as gdb gets. */
const WHOLE = ["-ex", "set backtrace past-main on", "-ex", "set backtrace past-entry on"];
const SCRIPT = ["-x", join(EXPLAIN_SOURCES, "frames.py")];
const TIMEOUT_MS = 120_000;

/** Runs a program in gdb until it crashes; its core is written to corePath. What gdb sees in that core. */
export async function crashInDebugger(
  command: readonly string[],
  corePath: string,
): Promise<DebuggedThread[]> {
  return debug([
    ...orders("handle SIGUSR1 SIGURG SIGCHLD nostop noprint pass", "run"),
    ...orders(`generate-core-file ${corePath}`, "kill", `core-file ${corePath}`),
    ...WHOLE,
    ...SCRIPT,
    "--args",
    ...command,
  ]);
}

function orders(...commands: string[]): string[] {
  return commands.flatMap((command) => ["-ex", command]);
}

/** What gdb sees in a core that is there. */
export function readInDebugger(program: string, corePath: string): Promise<DebuggedThread[]> {
  return debug([...WHOLE, ...SCRIPT, program, corePath]);
}

/** The same for a core of another machine, whose files are below `sysroot`. */
export function readForeignCore(
  program: string,
  corePath: string,
  sysroot: string,
): Promise<DebuggedThread[]> {
  const root = ["-iex", `set sysroot ${sysroot}`];
  return debug([...root, ...WHOLE, ...SCRIPT, program, corePath], "gdb-multiarch");
}

async function debug(words: readonly string[], debugger_ = "gdb"): Promise<DebuggedThread[]> {
  // Threads have stacks as large as the limit is, and gdb writes every page of them.
  const limited = `ulimit -s 1024; exec ${debugger_} "$@"`;
  const child = Bun.spawn(["sh", "-c", limited, "gdb", ...QUIET, ...words], {
    env: { PATH: process.env["PATH"], HOME: "/dev/null", GOTRACEBACK: "crash" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const [out, error] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const line = out.split("\n").find((text) => text.startsWith(MARK));
  if (line === undefined) throw new Error(`gdb showed no frames:\n${out}\n${error}`);
  return JSON.parse(line.slice(MARK.length)) as DebuggedThread[];
}
