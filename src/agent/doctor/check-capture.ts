// Reports the capture mode and why it was chosen; by socket, checks that a listener answers.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { listenerState, type ListenerState } from "../install/listener-process.ts";
import { failed, ok, skipped, warning, type CheckContext, type CheckResult } from "./check.ts";
import { readInstalledCapture, type InstalledCapture } from "./installed-capture.ts";

/** The remedy where no capture mode works. */
export const OTHER_WAYS =
  "another way of taking cores may work here: CAPTURE_MODE=socket (Linux 6.16) or file; in a pod, daemonset.captureFallback=true lets auto try them";

/** Checks the capture mode. */
export async function checkCapture({ settings }: CheckContext): Promise<CheckResult> {
  const capture = await readInstalledCapture(settings);
  const listener = capture.mode === "socket" ? await listenerState(settings.HOST_DIR) : "answers";
  return judgeCapture(capture, settings.CAPTURE_MODE, listener);
}

/** Judges the mode that an install noted. */
export function judgeCapture(
  { mode, note }: InstalledCapture,
  wanted: AgentSettings["CAPTURE_MODE"],
  listener: ListenerState,
): CheckResult {
  if (wanted !== "auto" && wanted !== mode)
    return failed(
      `CAPTURE_MODE is ${wanted}, and what is installed is ${mode}`,
      "restart the agent, or run core-dump-handler install again",
    );
  if (listener !== "answers")
    return failed(
      listener === "silent"
        ? "the listener holds the socket and does not answer: crashed processes wait"
        : "no listener answers on the socket: the kernel would lose every crash, and core_pattern is given back meanwhile",
      "in a pod, look at the listener's container; on a plain host the agent starts it: is the agent running?",
    );
  if (note === undefined) return skipped("no agent of this version has chosen yet");
  const others = note.tried === "" ? "" : ` (${note.tried})`;
  const found = `${mode}: ${note.because}${others}`;
  // The canary shows whether cores come nevertheless.
  if (wanted === "auto" && others !== "" && !note.proven) return warning(found, OTHER_WAYS);
  return ok(found);
}
