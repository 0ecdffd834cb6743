// What the host allows composers: core_pipe_limit, TIMEOUT and CORE_DIR, read anew while the worker runs. A disk that
// hangs, or something odd in the place of `.env`, keeps nobody waiting: the last known limits count then.
import { coreDirOf, readComposerSettings } from "../config/composer-settings.ts";
import { readComposerEnv } from "../host/composer-env.ts";
import { readSysctl } from "../host/sysctl.ts";
import { CORE_PIPE_LIMIT } from "../model/sysctls.ts";

export interface Limits {
  coreDir: string;
  /** Composers at a time; 0 is no limit. */
  atOnce: number;
  /** A composer's. */
  timeoutMs: number;
}

export interface LimitsWatch {
  /** As they were when they were last read; the defaults before. */
  readonly current: Limits;
  /** Reads them, once at a time. Never throws. */
  refresh(): Promise<void>;
}

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
