// Tries an installed capture mode: a canary crashes, and its core must arrive.
import { join } from "node:path";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { removeFile } from "../../host/files.ts";
import { describeError } from "../../model/app-error.ts";
import type { CaptureMode } from "../../model/capture-mode.ts";
import { readCanaryFile } from "./canary-proof.ts";
import { runCanary, type CanaryEnd } from "./canary-crash.ts";

/** The result of a trial. */
export interface Trial {
  /**
   * "proven": the core arrived. "installed": nothing has shown that the mode works. "unknown": the canary could not
   * start.
   */
  outcome: "proven" | "installed" | "unknown";
  because: string;
}

/** Runs a trial; tests replace it. */
export type Canary = typeof tryCanary;

const LIMITS = { heldMs: 10_000, publishedMs: 10_000 };

/** Tries the mode. A failure of the canary is a result and no error. */
export async function tryCanary(
  settings: Pick<AgentSettings, "HOST_DIR" | "CORE_DIR">,
  mode: CaptureMode,
): Promise<Trial> {
  let end: CanaryEnd;
  try {
    end = await runCanary(settings.HOST_DIR, LIMITS, mode);
  } catch (error) {
    return { outcome: "unknown", because: `no canary could be placed: ${describeError(error)}` };
  }
  try {
    if (end.notStarted !== undefined)
      return { outcome: "unknown", because: `the canary did not start: ${end.notStarted}` };
    return mode === "file" ? await judgeFile(end) : judgeTrace(end, mode);
  } finally {
    await discard(settings, end);
  }
}

function judgeTrace({ trace, signal }: CanaryEnd, mode: "pipe" | "socket"): Trial {
  if (trace.started) return { outcome: "proven", because: "the canary's core came" };
  const because =
    mode === "pipe"
      ? "the kernel did not start it, or it ended at once"
      : `the canary's core did not come by the socket (it ended by ${signal ?? "itself"})`;
  return { outcome: "installed", because };
}

async function judgeFile({ coreFile, marker }: CanaryEnd): Promise<Trial> {
  if (coreFile === undefined)
    return {
      outcome: "installed",
      because: "the canary left no file in /tmp: it must be there and writable",
    };
  try {
    await readCanaryFile(coreFile, marker);
    return { outcome: "proven", because: "the canary left its file" };
  } catch (error) {
    return { outcome: "installed", because: describeError(error) };
  }
}

async function discard(
  { CORE_DIR }: Pick<AgentSettings, "CORE_DIR">,
  { trace, coreFile }: CanaryEnd,
): Promise<void> {
  const { end } = trace;
  if (end?.event === "dump_published" && end.canary === true)
    await removeFile(join(CORE_DIR, end.zip));
  if (coreFile !== undefined) await removeFile(coreFile);
}
