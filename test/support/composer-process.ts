// The compiled composer, started as the kernel does (no environment, cwd /, stdout and stderr closed), on a pipe
// that a shell script writes to.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { InstalledComposer } from "./installed-composer.ts";
import { CRASH_ARGS } from "./sample-crash.ts";

export interface ComposerStart {
  /** sh, standard output is the core; its last command is exec'ed or ends by itself. */
  script: string;
  args?: readonly string[];
  /** A shell word list before the composer: "ulimit -f 100;". */
  before?: string;
}

export interface ComposerProcess {
  pid: number;
  /** The exit code; null when a signal ended it. Its writer is ended too. */
  exit: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

const TIMEOUT_MS = 60_000;
let starts = 0;

/** Runs it to its end. */
export function runComposerProcess(
  composer: InstalledComposer,
  start: ComposerStart,
): Promise<number | null> {
  return startComposerProcess(composer, start).exit;
}

export function startComposerProcess(
  { folder, hostDir }: InstalledComposer,
  { script, args = CRASH_ARGS, before = "" }: ComposerStart,
): ComposerProcess {
  const fifo = join(folder, `input-${starts++}`);
  Bun.spawnSync(["mkfifo", fifo]);
  const writer = Bun.spawn(["sh", "-c", `exec >"$0"; ${script}`, fifo], {
    cwd: folder,
    stdio: ["ignore", "ignore", "ignore"],
  });
  const command = `cd /; ${before} exec "$@" <"$0" >&- 2>&-`;
  const child = Bun.spawn(["sh", "-c", command, fifo, join(hostDir, "cdc"), ...args], {
    env: {},
    stdio: ["ignore", "ignore", "ignore"],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const end = async () => {
    await child.exited;
    writer.kill("SIGKILL");
    await writer.exited;
    await rm(fifo, { force: true });
    return child.exitCode;
  };
  return { pid: child.pid, exit: end(), kill: (signal) => child.kill(signal) };
}
