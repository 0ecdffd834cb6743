// Watches the install while the agent runs. Another tool or a sysctl reload may change core_pattern at any time, and
// another release's uninstall may remove everything; crashes would then be lost without a trace.
import { join } from "node:path";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { exists } from "../../host/files.ts";
import { LastingStates } from "../../host/lasting-states.ts";
import type { Log } from "../../host/log.ts";
import { readSysctl, writeSysctl } from "../../host/sysctl.ts";
import { CORE_PATTERN, CORE_PIPE_LIMIT, SUID_DUMPABLE } from "../../model/sysctls.ts";
import type { AgentMetrics } from "../metrics/agent-metrics.ts";
import { otherOwner, renewClaim } from "../install/host-owner.ts";
import { readInstallRecord } from "../install/install-record.ts";

/** The name for the install itself, beside the sysctls' names. */
const INSTALL = "install";
const OWNER = "owner";

/** Watches for drift. */
export interface DriftWatch {
  /** Looks once. Returns whether core_pattern is this program's. Throws AppError "sysctl". */
  check(): Promise<boolean>;
}

/** What the watch needs. */
export interface DriftContext {
  settings: AgentSettings;
  metrics: Pick<AgentMetrics, "drift" | "installed">;
  log: Log;
  /** Returns whether the agent itself has restored the previous core_pattern (capture/pattern-guard.ts). */
  isWithdrawn?: () => boolean;
  /** Installs everything again. */
  reinstall: () => Promise<void>;
}

/** Opens the watch; the caller calls check() again and again. */
export function openDriftWatch(context: DriftContext): DriftWatch {
  const { settings, metrics, log, isWithdrawn = () => false, reinstall } = context;
  const { HOST_DIR, PROC_ROOT, CORE_PATTERN_DRIFT } = settings;
  /** The reported values by name, so that a value that stays is reported once. */
  const reported = new LastingStates();

  /**
   * Handles an install of which the record or a file is missing. In a pod it must be there, because the DaemonSet is;
   * the second look installs it again, which leaves time for a preStop hook whose pod ends right after the removal.
   * Outside a pod somebody ran `remove` on purpose.
   */
  async function missing(): Promise<boolean> {
    metrics.installed.set(0);
    const comesBack = settings.POD_NAME !== "" && CORE_PATTERN_DRIFT === "reapply";
    if (!reported.has(INSTALL)) {
      const hint = comesBack
        ? "it is installed again in 15 seconds unless this pod ends"
        : "crashes are not caught until the agent is started anew";
      reported.isNews(INSTALL, "gone");
      log.error("install_missing", { host_dir: HOST_DIR, hint });
      return false;
    }
    if (!comesBack) return false;
    await reinstall();
    reported.end(INSTALL);
    log.warn("reinstalled", { host_dir: HOST_DIR });
    metrics.installed.set(1);
    return true;
  }

  async function check(): Promise<boolean> {
    const owner = await otherOwner(settings);
    if (owner !== undefined) {
      metrics.installed.set(0);
      if (reported.isNews(OWNER, owner)) log.error("host_dir_taken", { host_dir: HOST_DIR, owner });
      return false;
    }
    reported.end(OWNER);
    await renewClaim(settings);
    const record = await readInstallRecord(HOST_DIR, log);
    if (record === undefined || (await lacksFile(HOST_DIR, record.files))) return missing();
    reported.end(INSTALL);
    let patternIsOurs = true;
    for (const sysctl of [CORE_PIPE_LIMIT, CORE_PATTERN, SUID_DUMPABLE]) {
      if (sysctl === CORE_PATTERN && isWithdrawn()) {
        patternIsOurs = false;
        continue;
      }
      const value = record.sysctls[sysctl.name];
      const found = await readSysctl(PROC_ROOT, sysctl);
      if (value === undefined || found === value) {
        reported.end(sysctl.name);
        continue;
      }
      if (CORE_PATTERN_DRIFT === "reapply") {
        await writeSysctl(PROC_ROOT, sysctl, value);
        metrics.drift.add(1, { sysctl: sysctl.name });
        log.warn("sysctl_reapplied", { name: sysctl.name, found, value });
      } else {
        if (sysctl === CORE_PATTERN) patternIsOurs = false;
        if (reported.isNews(sysctl.name, found)) {
          metrics.drift.add(1, { sysctl: sysctl.name });
          log.error("sysctl_drifted", { name: sysctl.name, found, expected: value });
        }
      }
    }
    metrics.installed.set(patternIsOurs ? 1 : 0);
    return patternIsOurs;
  }

  return { check };
}

/**
 * Returns whether a file is missing. The removal of IBM's handler deletes the composer and its settings and leaves this
 * program's record.
 */
async function lacksFile(hostDir: string, names: readonly string[]): Promise<boolean> {
  for (const name of names) if (!(await exists(join(hostDir, name)))) return true;
  return false;
}
