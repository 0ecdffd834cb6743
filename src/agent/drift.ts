// The kernel's settings, watched while the agent runs: another tool or a sysctl reload may take core_pattern
// at any time, and from then on crashes are lost in silence.
import type { AgentSettings } from "../config/agent-settings.ts";
import type { Log } from "../host/log.ts";
import { readSysctl, writeSysctl } from "../host/sysctl.ts";
import { CORE_PATTERN, CORE_PIPE_LIMIT, SUID_DUMPABLE } from "../model/sysctls.ts";
import type { AgentMetrics } from "./agent-metrics.ts";
import { readInstallRecord } from "./install-record.ts";

export interface DriftWatch {
  /** Looks once. True while core_pattern is ours. Throws AppError "sysctl". */
  check(): Promise<boolean>;
}

export function openDriftWatch(
  settings: AgentSettings,
  metrics: Pick<AgentMetrics, "drift" | "installed">,
  log: Log,
  /** Has core_pattern been given back on purpose (capture/pattern-guard.ts)? */
  isWithdrawn: () => boolean = () => false,
): DriftWatch {
  const { HOST_DIR, PROC_ROOT, CORE_PATTERN_DRIFT } = settings;
  /** What was said already, by name: a value that stays is reported once. */
  const reported = new Map<string, string>();

  async function check(): Promise<boolean> {
    // `remove` was run beside us: putting anything back would undo it.
    const record = await readInstallRecord(HOST_DIR, log);
    if (record === undefined) {
      metrics.installed.set(0);
      return false;
    }
    let patternIsOurs = true;
    for (const sysctl of [CORE_PIPE_LIMIT, CORE_PATTERN, SUID_DUMPABLE]) {
      if (sysctl === CORE_PATTERN && isWithdrawn()) {
        patternIsOurs = false;
        continue;
      }
      const value = record.sysctls[sysctl.name];
      const found = await readSysctl(PROC_ROOT, sysctl);
      if (value === undefined || found === value) {
        reported.delete(sysctl.name);
        continue;
      }
      if (CORE_PATTERN_DRIFT === "reapply") {
        await writeSysctl(PROC_ROOT, sysctl, value);
        metrics.drift.add(1, { sysctl: sysctl.name });
        log.warn("sysctl_reapplied", { name: sysctl.name, found, value });
      } else {
        if (sysctl === CORE_PATTERN) patternIsOurs = false;
        if (reported.get(sysctl.name) === found) continue;
        reported.set(sysctl.name, found);
        metrics.drift.add(1, { sysctl: sysctl.name });
        log.error("sysctl_drifted", { name: sysctl.name, found, expected: value });
      }
    }
    metrics.installed.set(patternIsOurs ? 1 : 0);
    return patternIsOurs;
  }

  return { check };
}
