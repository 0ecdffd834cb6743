// Starts one composer as a child of the worker: this executable, with the kernel's connection as its stdin.
import { readBoundedText } from "../host/bounded-stream.ts";
import { within } from "../host/timer.ts";
import { formatInvocation } from "../model/composer-invocation.ts";

/** How a composer ended. */
export interface ComposerEnd {
  exitCode: number | null;
  signalCode: string | number | null;
  /** The end of what it wrote on stderr. */
  stderr: Promise<string>;
}

/** A composer that runs. */
export interface ComposerProcess {
  pid: number;
  /** The dump's uuid. */
  uuid: string;
  ended: Promise<ComposerEnd>;
  kill: (signal: NodeJS.Signals) => void;
}

const STDERR_MAX_BYTES = 4096;
/** How long to wait for the end of stderr, in ms, because a child of the composer may hold it open for longer. */
const STDERR_MS = 500;

/**
 * Starts a composer. The caller still closes its own descriptor of the connection. Throws where the process cannot
 * start.
 */
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
