// The crash-loop limit: HOST_DIR/crash-loop.json remembers how many dumps each workload left lately. Twenty
// composers may ask at once, so it is read and written under a lock. That it fails never costs a core.
import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { ComposerSettings } from "../config/composer-settings.ts";
import { tryLock } from "../host/libc.ts";
import { readTextFile, writeFileAtomically } from "../host/files.ts";
import { describeError } from "../model/app-error.ts";
import type { CrashContext } from "../model/crash-context.ts";
import {
  crashLoopSchema,
  isAnyLimited,
  judgeCrash,
  type CrashLoopLimit,
  type CrashLoopState,
  type CrashLoopVerdict,
} from "../model/crash-loop.ts";
import { workloadKey, type CrashIdentity } from "../model/workload.ts";
import type { ComposerLog } from "../host/composer-log.ts";
import type { Metadata } from "./metadata/metadata.ts";
import { CRASH_LOOP_LOCK, CRASH_LOOP_STATE } from "../model/host-file.ts";

const LOCK_WAIT_MS = 2_000;
const LOCK_STEP_MS = 5;

/**
 * The metadata as it is, or with the verdict "skip" where this workload has left its dumps already: told in
 * composer.log, with who and how many.
 */
export async function limitCrashLoop(
  metadata: Metadata,
  { crash, settings, hostDir, log }: CrashLoopContext,
): Promise<Metadata> {
  const { CRASH_LOOP_LIMIT: limit, CRASH_LOOP_WINDOW: windowSeconds } = settings;
  if (limit === 0 || metadata.verdict.kind === "skip") return metadata;
  const identity = identify(crash, metadata);
  const workload = workloadKey(identity);
  try {
    const verdict = await countCrash(hostDir, workload, { limit, windowMs: windowSeconds * 1000 });
    const who = { workload, namespace: identity.namespace, podname: identity.podname };
    if (verdict.kind === "collect") {
      if (verdict.suppressedBefore > 0)
        log.milestone("info", "crash_loop_over", { ...who, suppressed: verdict.suppressedBefore });
      return metadata;
    }
    const rule = { limit, window_s: windowSeconds };
    log.milestone("warn", "dump_suppressed", { ...who, suppressed: verdict.suppressed, ...rule });
    const reason = `crash loop: ${limit} dumps in ${windowSeconds} s, ${verdict.suppressed} left out`;
    return { ...metadata, verdict: { kind: "skip", reason } };
  } catch (error) {
    log.milestone("warn", "crash_loop_unknown", { error: describeError(error) });
    return metadata;
  }
}

export interface CrashLoopContext {
  crash: CrashContext;
  settings: Pick<ComposerSettings, "CRASH_LOOP_LIMIT" | "CRASH_LOOP_WINDOW">;
  hostDir: string;
  log: ComposerLog;
}

/** Whether any workload at all has left its dumps already: only then may the next crash be over the limit. */
export async function isAnyWorkloadLimited(
  hostDir: string,
  {
    CRASH_LOOP_LIMIT: limit,
    CRASH_LOOP_WINDOW: windowSeconds,
  }: Pick<ComposerSettings, "CRASH_LOOP_LIMIT" | "CRASH_LOOP_WINDOW">,
): Promise<boolean> {
  if (limit === 0) return false;
  const state = await readState(join(hostDir, CRASH_LOOP_STATE)).catch(() => ({}));
  return isAnyLimited(state, Date.now(), { limit, windowMs: windowSeconds * 1000 });
}

function identify(crash: CrashContext, { facts, entries }: Metadata): CrashIdentity {
  const pod = entries.find(({ suffix }) => suffix === "-pod-info.json");
  return {
    namespace: facts.namespace ?? null,
    podname: facts.podname ?? null,
    labels: pod === undefined ? {} : labelsOf(pod.data),
    container: facts.container_name ?? null,
    executable: facts.exe_path ?? (crash.pathname || crash.exeName),
    signal: String(crash.signal ?? ""),
  };
}

const podSchema = v.object({ labels: v.record(v.string(), v.string()) });

function labelsOf(podInfo: Uint8Array): Readonly<Record<string, string>> {
  try {
    return v.parse(podSchema, JSON.parse(Buffer.from(podInfo).toString("utf8"))).labels;
  } catch {
    return {}; // no pod, or one without labels: the pod's name has to do
  }
}

/**
 * Counts this crash and says whether it is collected. Throws where HOST_DIR cannot be written or the lock is
 * not had in two seconds: the caller collects then.
 */
export async function countCrash(
  hostDir: string,
  workload: string,
  limit: CrashLoopLimit,
): Promise<CrashLoopVerdict> {
  const lock = await takeLock(join(hostDir, CRASH_LOOP_LOCK));
  try {
    const path = join(hostDir, CRASH_LOOP_STATE);
    const judged = judgeCrash(await readState(path), workload, Date.now(), limit);
    await writeFileAtomically(path, JSON.stringify(judged.state));
    return judged.verdict;
  } finally {
    closeSync(lock);
  }
}

async function takeLock(path: string): Promise<number> {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  for (let waitedMs = 0; waitedMs < LOCK_WAIT_MS; waitedMs += LOCK_STEP_MS) {
    if (tryLock(fd)) return fd;
    await Bun.sleep(LOCK_STEP_MS);
  }
  closeSync(fd);
  throw new Error(`${path} is still locked after ${LOCK_WAIT_MS} ms`);
}

/** A state that cannot be understood starts anew: at worst a window's dumps are collected again. */
async function readState(path: string): Promise<CrashLoopState> {
  const text = await readTextFile(path);
  try {
    return text === undefined ? {} : v.parse(crashLoopSchema, JSON.parse(text));
  } catch {
    return {};
  }
}
