// Applies the crash-loop limits. HOST_DIR/crash-loop.json has the number of dumps that each namespace, and each
// workload in it, left lately. Twenty composers may use it at once, so they read and write it under a lock. Where that
// fails, the composer takes the core.
import * as v from "valibot";
import type { ComposerSettings } from "../config/composer-settings.ts";
import { changeState, readState, type StateFile } from "../host/locked-state.ts";
import { describeError } from "../model/app-error.ts";
import type { CrashContext } from "../model/crash-context.ts";
import {
  crashLoopSchema,
  isAnyLimited,
  judgeCrash,
  type CountedCrash,
  type CrashLoopLimits,
  type CrashLoopState,
  type CrashLoopVerdict,
} from "../model/crash-loop.ts";
import type { ComposerLog } from "../host/composer-log.ts";
import { ownerOfCrash } from "./crash-owner.ts";
import type { Metadata } from "./metadata/metadata.ts";
import { CRASH_LOOP_LOCK, CRASH_LOOP_STATE } from "../model/host-file.ts";

type LoopSettings = Pick<
  ComposerSettings,
  "CRASH_LOOP_LIMIT" | "CRASH_LOOP_NAMESPACE_LIMIT" | "CRASH_LOOP_WINDOW"
>;

/** What the limits need to know. */
export interface CrashLoopContext {
  crash: CrashContext;
  settings: LoopSettings;
  hostDir: string;
  log: ComposerLog;
}

/**
 * Returns the metadata unchanged, or with the verdict "skip" where this workload or its namespace has reached its
 * limit. Records the skipped crash in composer.log.
 */
export async function limitCrashLoop(
  metadata: Metadata,
  { crash, settings, hostDir, log }: CrashLoopContext,
): Promise<Metadata> {
  const limits = limitsOf(settings);
  if (limits.perWorkload === 0 || metadata.verdict.kind === "skip") return metadata;
  const owner = ownerOfCrash(crash, metadata);
  const { namespace = null, podname = null } = metadata.facts;
  const who = { workload: owner.workloadKey, namespace, podname };
  try {
    const verdict = await countCrash(hostDir, owner, limits);
    if (verdict.kind === "collect") {
      const { suppressedBefore } = verdict;
      for (const by of ["workload", "namespace"] as const)
        if (suppressedBefore[by] > 0)
          log.milestone("info", "crash_loop_over", {
            ...who,
            by,
            suppressed: suppressedBefore[by],
          });
      return metadata;
    }
    const { by, suppressed } = verdict;
    const limit = by === "workload" ? limits.perWorkload : limits.perNamespace;
    const window_s = settings.CRASH_LOOP_WINDOW;
    log.milestone("warn", "dump_suppressed", { ...who, by, suppressed, limit, window_s });
    const reason = `crash loop: ${limit} dumps of the ${by} in ${window_s} s, ${suppressed} left out`;
    return { ...metadata, verdict: { kind: "skip", reason } };
  } catch (error) {
    log.milestone("warn", "crash_loop_unknown", { error: describeError(error) });
    return metadata;
  }
}

/** Returns whether any workload has reached a limit: only then can the next crash be over one. */
export async function isAnyWorkloadLimited(
  hostDir: string,
  settings: LoopSettings,
): Promise<boolean> {
  const limits = limitsOf(settings);
  if (limits.perWorkload === 0) return false;
  const state = await readState(hostDir, STATE_FILE);
  return isAnyLimited(state, Date.now(), limits);
}

function limitsOf(settings: LoopSettings): CrashLoopLimits {
  return {
    perWorkload: settings.CRASH_LOOP_LIMIT,
    perNamespace: settings.CRASH_LOOP_NAMESPACE_LIMIT,
    windowMs: settings.CRASH_LOOP_WINDOW * 1000,
  };
}

const STATE_FILE: StateFile<CrashLoopState> = {
  name: CRASH_LOOP_STATE,
  lock: CRASH_LOOP_LOCK,
  parse: (json) => v.parse(crashLoopSchema, json),
  empty: {},
};

/**
 * Counts this crash and returns the verdict. Throws where HOST_DIR cannot be written or the lock is not free within two
 * seconds; the caller collects the dump then.
 */
export async function countCrash(
  hostDir: string,
  crash: CountedCrash,
  limits: CrashLoopLimits,
): Promise<CrashLoopVerdict> {
  return changeState(hostDir, STATE_FILE, (state) => {
    const judged = judgeCrash(state, crash, Date.now(), limits);
    return { state: judged.state, result: judged.verdict };
  });
}
