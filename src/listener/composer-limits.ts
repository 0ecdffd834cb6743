// What the host allows composers: core_pipe_limit, TIMEOUT and CORE_DIR, read anew while the worker runs. A disk that
// hangs, or something odd in the place of `.env`, keeps nobody waiting: the last known limits count then.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { coreDirOf, readComposerSettings } from "../config/composer-settings.ts";
import { readComposerEnv } from "../host/composer-env.ts";
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
  /** core_pipe_limit as it is now, the others as they were when they were last read; the defaults before. */
  readonly current: Limits;
  /** Reads `.env`, once at a time. Never throws. */
  refresh(): Promise<void>;
}

/** Watches them for HOST_DIR and the host's /proc. */
export function watchLimits(hostDir: string, procRoot: string): LimitsWatch {
  let fromEnv = limitsOf(hostDir, {});
  let refreshing: Promise<void> | undefined;

  async function read(): Promise<void> {
    const { values } = await readComposerEnv(hostDir);
    fromEnv = limitsOf(hostDir, values);
  }

  return {
    get current() {
      return { ...fromEnv, atOnce: readPipeLimit(procRoot) };
    },
    refresh: async () => {
      refreshing ??= read().finally(() => (refreshing = undefined));
      await refreshing;
    },
  };
}

function limitsOf(hostDir: string, env: Readonly<Record<string, string>>): Omit<Limits, "atOnce"> {
  const { settings } = readComposerSettings(env);
  return { coreDir: coreDirOf(hostDir, settings), timeoutMs: settings.TIMEOUT * 1000 };
}

/** As it is now: whoever lowers it means the next crash, and the kernel answers this read by itself. */
function readPipeLimit(procRoot: string): number {
  try {
    return Number(readFileSync(join(procRoot, "sys", CORE_PIPE_LIMIT.path), "utf8")) || 0;
  } catch {
    return 0;
  }
}
