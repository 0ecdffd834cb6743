// PREVIOUS_HANDLER: passes a copy of the cores of processes outside containers to the program that took cores on this
// host before the install (systemd-coredump, apport), started as the kernel would start it. It may delay the release
// of the crashed process up to a bound; then the composer stops feeding it and continues with the dump.
import type { CrashContext } from "../model/crash-context.ts";
import { describeError, errnoOf } from "../model/app-error.ts";
import { expandPipePattern, type PatternValues } from "../model/core-handler.ts";
import { untilAborted, within } from "../host/timer.ts";
import type { ComposerLog } from "../host/composer-log.ts";
import type { CoreInput } from "./core-input.ts";
import { identifyCrasher } from "./metadata/crasher.ts";

/** How long the previous handler may keep the composer waiting in all, in ms. */
export const HOLD_MAX_MS = 10_000;
const REST_BLOCK_BYTES = 256 * 1024;

/** A previous handler that runs. */
export interface PreviousHandler {
  /** Passes bytes on. Settles when the handler has them, or when the composer has stopped feeding it. Never throws. */
  take: (bytes: Uint8Array) => Promise<void>;
  /** Reads the rest of the input, which this taps, where the composer stopped reading before the core's end. */
  takeRest: (core: CoreInput, signal: AbortSignal) => Promise<void>;
  /** Closes the handler's stdin. */
  end: () => Promise<void>;
}

/**
 * Starts the handler for this crash. Returns undefined where the pattern starts no program, where the process belongs
 * or may belong to a container, and where the program cannot start, which it logs.
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
      // For %F the kernel passes the pidfd as descriptor 3.
      stdio: ["pipe", "ignore", "ignore", crash.pidfd],
    });
    return openPreviousHandler(child, program, log, holdMaxMs);
  } catch (error) {
    log.milestone("warn", "previous_handler_failed", { program, error: describeError(error) });
    return undefined;
  }
}

/** Starts the handler and lets it tap the core; undefined also where PREVIOUS_HANDLER is empty. */
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
      // The handler has ended or closed its stdin, so it wants no more.
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
      // A read of a silent input never returns, so the deadline ends the wait.
      await Promise.race([read(), untilAborted(signal)]);
    },
    end: async () => {
      await spend(async () => child.stdin.end());
      ended = true;
      // The handler may continue with what it has; the composer does not wait for it.
      child.unref();
    },
  };
}

/** Returns whether the process is certainly the host's. A container's core must not reach the host's users. */
function isHostProcess(procDir: string, crash: CrashContext): boolean {
  try {
    return identifyCrasher(crash, procDir).identity.kind === "host";
  } catch {
    return false; // the process has ended, or another one has its pid
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
