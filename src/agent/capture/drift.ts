// What an install put on the host, watched while the agent runs: another tool or a sysctl reload may take core_pattern
// at any time, another release's uninstall may take all of it, and from then on crashes are lost in silence.
import { join } from "node:path";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { exists } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { readSysctl, writeSysctl } from "../../host/sysctl.ts";
import { CORE_PATTERN, CORE_PIPE_LIMIT, SUID_DUMPABLE } from "../../model/sysctls.ts";
import type { AgentMetrics } from "../metrics/agent-metrics.ts";
import { otherOwner, renewClaim } from "../install/host-owner.ts";
import { readInstallRecord } from "../install/install-record.ts";

/** Beside the sysctls' names in what was reported. */
const INSTALL = "install";
const OWNER = "owner";

export interface DriftWatch {
  /** Looks once. True while core_pattern is ours. Throws AppError "sysctl". */
  check(): Promise<boolean>;
}

export interface DriftContext {
  settings: AgentSettings;
  metrics: Pick<AgentMetrics, "drift" | "installed">;
  log: Log;
  /** Has core_pattern been given back on purpose (capture/pattern-guard.ts)? */
  isWithdrawn?: () => boolean;
  /** Puts everything back on the host. */
  reinstall: () => Promise<void>;
}

export function openDriftWatch(context: DriftContext): DriftWatch {
  const { settings, metrics, log, isWithdrawn = () => false, reinstall } = context;
  const { HOST_DIR, PROC_ROOT, CORE_PATTERN_DRIFT } = settings;
  /** What was said already, by name: a value that stays is reported once. */
  const reported = new Map<string, string>();

  function report(name: string, text: string, say: () => void): void {
    if (reported.get(name) !== text) say();
    reported.set(name, text);
  }

  /**
   * The install itself is gone, or a file of it. In a pod the DaemonSet says that it belongs here; the first look
   * leaves the time to a preStop hook, whose pod ends right behind the removal. Outside, whoever ran `remove` beside us
   * meant it.
   */
  async function missing(): Promise<boolean> {
    metrics.installed.set(0);
    const comesBack = settings.POD_NAME !== "" && CORE_PATTERN_DRIFT === "reapply";
    if (!reported.has(INSTALL)) {
      const hint = comesBack
        ? "it is installed again in 15 seconds unless this pod ends"
        : "crashes are not caught until the agent is started anew";
      report(INSTALL, "gone", () => log.error("install_missing", { host_dir: HOST_DIR, hint }));
      return false;
    }
    if (!comesBack) return false;
    await reinstall();
    reported.delete(INSTALL);
    log.warn("reinstalled", { host_dir: HOST_DIR });
    metrics.installed.set(1);
    return true;
  }

  async function check(): Promise<boolean> {
    const owner = await otherOwner(settings);
    if (owner !== undefined) {
      metrics.installed.set(0);
      report(OWNER, owner, () => log.error("host_dir_taken", { host_dir: HOST_DIR, owner }));
      return false;
    }
    reported.delete(OWNER);
    await renewClaim(settings);
    const record = await readInstallRecord(HOST_DIR, log);
    if (record === undefined || (await lacksFile(HOST_DIR, record.files))) return missing();
    reported.delete(INSTALL);
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
        report(sysctl.name, found, () => {
          metrics.drift.add(1, { sysctl: sysctl.name });
          log.error("sysctl_drifted", { name: sysctl.name, found, expected: value });
        });
      }
    }
    metrics.installed.set(patternIsOurs ? 1 : 0);
    return patternIsOurs;
  }

  return { check };
}

/** IBM's handler, when it is removed, deletes the composer and its settings and knows nothing of our record. */
async function lacksFile(hostDir: string, names: readonly string[]): Promise<boolean> {
  for (const name of names) if (!(await exists(join(hostDir, name)))) return true;
  return false;
}
