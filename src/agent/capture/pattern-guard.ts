// Guards socket capture while the agent runs. Without a listener the kernel loses every crash, so the guard restores
// the previous core_pattern until a listener answers again.
import type { AgentSettings } from "../../config/agent-settings.ts";
import type { Log } from "../../host/log.ts";
import { readSysctl, writeSysctl } from "../../host/sysctl.ts";
import { captureModeOf, isOurPattern } from "../../model/core-pattern.ts";
import { CORE_PATTERN } from "../../model/sysctls.ts";
import type { AgentMetrics } from "../metrics/agent-metrics.ts";
import { readInstallRecord } from "../install/install-record.ts";
import { LISTENER, type ListenerControl } from "../install/listener-control.ts";
import { withdrawPattern } from "./withdrawal.ts";

/**
 * How long a listener may be silent, in ms: the keeper replaces a lost worker meanwhile, and crashes wait in the
 * socket's queue.
 */
const SILENT_MAX_MS = 10_000;

/** The guard. */
export interface PatternGuard {
  /** Looks once. Throws AppError "sysctl". */
  check(): Promise<void>;
  /** Returns true from the moment when no listener answered until one does. */
  isLost(): boolean;
}

/** What the guard needs. */
export interface PatternGuardContext {
  settings: AgentSettings;
  metrics: Pick<AgentMetrics, "listenerLost">;
  log: Log;
  listener?: ListenerControl;
  silentMaxMs?: number;
}

/** Opens the guard; the caller calls check() again and again. */
export function openPatternGuard(context: PatternGuardContext): PatternGuard {
  const { settings, metrics, log, listener = LISTENER, silentMaxMs = SILENT_MAX_MS } = context;
  const { HOST_DIR, PROC_ROOT, POD_NAME } = settings;
  /** The pattern that the guard restored; undefined while a listener answers. */
  let withdrawnTo: string | undefined;
  let heardMs = performance.now();

  async function check(): Promise<void> {
    const wanted = await wantedPattern();
    if (wanted === undefined) return;
    const state = await listener.state(HOST_DIR);
    if (state === "answers") {
      heardMs = performance.now();
      if (withdrawnTo !== undefined) await comeBack(wanted, withdrawnTo);
      return;
    }
    if (state === "silent" && performance.now() - heardMs < silentMaxMs) return;
    if (withdrawnTo === undefined) {
      withdrawnTo = await withdrawPattern(settings);
      metrics.listenerLost.add();
      log.error("listener_lost", { state, core_pattern: withdrawnTo });
    }
    // Crashed processes in the queue of a silent listener would wait for ever.
    if (state === "silent") listener.kill(HOST_DIR, log);
    // In a pod the kubelet starts the listener's container again.
    if (POD_NAME === "" && (await listener.ensure(settings, log)))
      await comeBack(wanted, withdrawnTo);
  }

  /** Returns the pattern to set again; undefined where somebody ran `remove` meanwhile, or the mode is another. */
  async function wantedPattern(): Promise<string | undefined> {
    const record = await readInstallRecord(HOST_DIR, log);
    const pattern = record?.sysctls[CORE_PATTERN.name] ?? "";
    return captureModeOf(pattern, HOST_DIR) === "socket" ? pattern : undefined;
  }

  async function comeBack(wanted: string, left: string): Promise<void> {
    const present = await readSysctl(PROC_ROOT, CORE_PATTERN);
    // Where another tool has changed the pattern meanwhile, the drift watch decides.
    if (present === left || isOurPattern(present, HOST_DIR))
      await writeSysctl(PROC_ROOT, CORE_PATTERN, wanted);
    withdrawnTo = undefined;
    log.info("listener_back", { core_pattern: wanted });
  }

  return { check, isLost: () => withdrawnTo !== undefined };
}
