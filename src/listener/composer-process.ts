// One composer as a child of the worker: our own executable, with the kernel's connection as its stdin.
import { readBoundedText } from "../host/bounded-stream.ts";
import { within } from "../host/timer.ts";
import { formatInvocation } from "../model/composer-invocation.ts";

export interface ComposerEnd {
  exitCode: number | null;
  signalCode: string | number | null;
  /** The last of what it wrote there. */
  stderr: Promise<string>;
}

export interface ComposerProcess {
  pid: number;
  /** The dump's. */
  uuid: string;
  ended: Promise<ComposerEnd>;
  kill: (signal: NodeJS.Signals) => void;
}

const STDERR_MAX_BYTES = 4096;
/** A process that it started may hold its stderr open for longer. */
const STDERR_MS = 500;

/** The connection stays the caller's to close. Throws where it cannot be started. */
export function startComposer(
  { executable, hostDir }: { executable: string; hostDir: string },
  connection: number,
): ComposerProcess {
  const uuid = crypto.randomUUID();
  const invocation = formatInvocation({ hostDir, uuid, source: { kind: "socket" }, args: [] });
  const child = Bun.spawn([executable, ...invocation], {
    cwd: "/",
    env: {},
    stdio: [connection, "ignore", "pipe"],
  });
  const stderr = readBoundedText(child.stderr, STDERR_MAX_BYTES, "end").then(
    ({ text }) => text,
    () => "",
  );
  const ended = child.exited.then(() => ({
    exitCode: child.exitCode,
    signalCode: child.signalCode,
    stderr: within(stderr, STDERR_MS, () => ""),
  }));
  return { pid: child.pid, uuid, ended, kill: (signal) => child.kill(signal) };
}
