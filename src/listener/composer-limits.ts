// Reads what the host allows composers (core_pipe_limit, TIMEOUT and CORE_DIR) again while the worker runs. Where a
// disk hangs, or another kind of file has the place of `.env`, the worker does not wait, and the last known limits
// count.
import { coreDirOf, readComposerSettings } from "../config/composer-settings.ts";
import { readComposerEnv } from "../host/composer-env.ts";
import { readSysctl } from "../host/sysctl.ts";
import { CORE_PIPE_LIMIT } from "../model/sysctls.ts";

/** The worker's limits, as they are now. */
export interface Limits {
  coreDir: string;
  /** How many composers may run at once; 0 is no limit. */
  atOnce: number;
  /** A composer's TIMEOUT. */
  timeoutMs: number;
}

/** The limits, read again on request. */
export interface LimitsWatch {
  /** The limits of the last reading; the defaults before the first. */
  readonly current: Limits;
  /** Reads them, once at a time. Never throws. */
  refresh(): Promise<void>;
}

/** Starts with the defaults; refresh() reads the limits. */
export function watchLimits(hostDir: string, procRoot: string): LimitsWatch {
  let current = limitsOf(hostDir, {}, 0);
  let refreshing: Promise<void> | undefined;

  async function read(): Promise<void> {
    const [{ values }, limit] = await Promise.all([
      readComposerEnv(hostDir),
      readSysctl(procRoot, CORE_PIPE_LIMIT).catch(() => ""),
    ]);
    current = limitsOf(hostDir, values, Number(limit) || 0);
  }

  return {
    get current() {
      return current;
    },
    refresh: async () => {
      refreshing ??= read().finally(() => (refreshing = undefined));
      await refreshing;
    },
  };
}

function limitsOf(hostDir: string, env: Readonly<Record<string, string>>, atOnce: number): Limits {
  const { settings } = readComposerSettings(env);
  return { coreDir: coreDirOf(hostDir, settings), atOnce, timeoutMs: settings.TIMEOUT * 1000 };
}
