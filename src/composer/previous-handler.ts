// PREVIOUS_HANDLER: the program that took cores on this host before us (systemd-coredump, apport) gets a copy of
// the cores of processes outside containers, started as the kernel would have started it. It may slow the
// crashed process's release, but not for longer than a bound: then it is given up, and the dump goes on.
import type { CrashContext } from "../model/crash-context.ts";
import { describeError, errnoOf } from "../model/app-error.ts";
import { expandPipePattern, type PatternValues } from "../model/core-handler.ts";
import { untilAborted, within } from "../host/timer.ts";
import type { ComposerLog } from "../host/composer-log.ts";
import type { CoreInput } from "./core-input.ts";
import { identifyCrasher } from "./metadata/crasher.ts";

/** How long it may keep us waiting in all, in ms. */
export const HOLD_MAX_MS = 10_000;
const REST_BLOCK_BYTES = 256 * 1024;

export interface PreviousHandler {
  /** Settles when the bytes are handed over, or the handler is given up. Never throws. */
  take: (bytes: Uint8Array) => Promise<void>;
  /** Reads what is left in the input, which it is tapping, where our own reading ended before its end. */
  takeRest: (core: CoreInput, signal: AbortSignal) => Promise<void>;
  /** Tells it that this was all. */
  end: () => Promise<void>;
}

/**
 * Starts it for this crash. undefined where the pattern starts no program, the process belongs to a container or
 * may belong to one, or the program cannot be started (which is logged).
 */
export function startPreviousHandler(
  pattern: string,
  crash: CrashContext,
  log: ComposerLog,
  { procDir = "/proc", holdMaxMs = HOLD_MAX_MS } = {},
): PreviousHandler | undefined {
  const argv = expandPipePattern(pattern, valuesOf(crash));
  const [program] = argv;
  if (program === undefined || !isHostProcess(procDir, crash)) return undefined;
  try {
    const child = Bun.spawn(argv, {
      cwd: "/",
      env: {},
      // %F: the kernel hands the pidfd over as descriptor 3.
      stdio: ["pipe", "ignore", "ignore", crash.pidfd],
    });
    return openPreviousHandler(child, program, log, holdMaxMs);
  } catch (error) {
    log.milestone("warn", "previous_handler_failed", { program, error: describeError(error) });
    return undefined;
  }
}

/** The same, tapping the core; undefined also where there is no previous handler. */
export function chainPreviousHandler(
  pattern: string,
  core: CoreInput,
  crash: CrashContext,
  log: ComposerLog,
): PreviousHandler | undefined {
  const handler = startPreviousHandler(pattern, crash, log);
  if (handler !== undefined) core.tap = (bytes) => handler.take(bytes);
  return handler;
}

type Child = Bun.Subprocess<"pipe", "ignore", "ignore">;

function openPreviousHandler(
  child: Child,
  program: string,
  log: ComposerLog,
  holdMaxMs: number,
): PreviousHandler {
  let leftMs = holdMaxMs;
  let ended = false;

  async function spend(work: () => Promise<unknown>): Promise<void> {
    if (ended) return;
    const startedMs = performance.now();
    try {
      await within(work(), leftMs, () => giveUp(`it took more than ${holdMaxMs} ms`));
    } catch (error) {
      // It ended, or closed its stdin: it has what it wanted.
      if (errnoOf(error) === "EPIPE") ended = true;
      else giveUp(describeError(error));
    } finally {
      leftMs -= performance.now() - startedMs;
    }
  }

  function giveUp(why: string): void {
    ended = true;
    child.kill("SIGKILL");
    log.milestone("warn", "previous_handler_failed", { program, error: why });
  }

  const take = (bytes: Uint8Array) =>
    spend(async () => {
      await child.stdin.write(bytes);
      await child.stdin.flush();
    });

  return {
    take,
    takeRest: async (core, signal) => {
      const block = new Uint8Array(REST_BLOCK_BYTES);
      const read = async () => {
        const goesOn = () => !ended && !signal.aborted;
        while (goesOn()) if ((await core.readSome(block, 0).catch(() => 0)) === 0) return;
      };
      // A read of a silent input never returns: the deadline ends the waiting.
      await Promise.race([read(), untilAborted(signal)]);
    },
    end: async () => {
      await spend(async () => child.stdin.end());
      ended = true;
      // It may go on with what it has; we do not wait for it.
      child.unref();
    },
  };
}

/** In doubt it is a container's: its core is not for the host's users. */
function isHostProcess(procDir: string, crash: CrashContext): boolean {
  try {
    return identifyCrasher(crash, procDir).identity.kind === "host";
  } catch {
    return false; // gone already, or another process by now
  }
}

function valuesOf(crash: CrashContext): PatternValues {
  const text = (value: number | null) => (value === null ? "" : String(value));
  return {
    P: text(crash.hostPid),
    I: text(crash.hostTid),
    p: text(crash.pid),
    i: text(crash.hostTid),
    u: text(crash.uid),
    g: text(crash.gid),
    d: text(crash.dumpable),
    s: text(crash.signal),
    t: String(crash.timestampSeconds),
    c: crash.limitSize,
    h: crash.hostname,
    e: crash.exeName,
    f: crash.pathname.split("!").at(-1) ?? "",
    E: crash.pathname,
    F: crash.pidfd === null ? "" : "3",
  };
}
