// Keeps the first few whole dumps of a bug (KEEP_PER_BUG): the next ones have their summary, metadata and logs, and no
// core. HOST_DIR/known-bugs.json has what each tenant's bugs left lately. Where anything fails, the core is kept.
import * as v from "valibot";
import type { ComposerSettings } from "../config/composer-settings.ts";
import type { ComposerLog } from "../host/composer-log.ts";
import { changeState, type StateFile } from "../host/locked-state.ts";
import { describeError } from "../model/app-error.ts";
import type { CrashContext } from "../model/crash-context.ts";
import type { DumpInfo } from "../model/dump-info.ts";
import { UNKNOWN_OWNER } from "../model/dump-owner.ts";
import { KNOWN_BUGS_LOCK, KNOWN_BUGS_STATE } from "../model/host-file.ts";
import {
  judgeBug,
  knownBugsSchema,
  settleBug,
  type BugCrash,
  type KnownBugLimits,
  type KnownBugs,
} from "../model/known-bugs.ts";
import type { Attempts } from "./attempt.ts";
import { tenantOf } from "./dumps-at-once.ts";
import type { Metadata } from "./metadata/metadata.ts";

/** What the limit needs to know. */
export interface KnownBugContext {
  uuid: string;
  crash: Pick<CrashContext, "uid">;
  settings: Pick<ComposerSettings, "KEEP_PER_BUG" | "CRASH_LOOP_WINDOW" | "TIMEOUT">;
  hostDir: string;
  log: ComposerLog;
  attempts: Attempts;
}

const STATE_FILE: StateFile<KnownBugs> = {
  name: KNOWN_BUGS_STATE,
  lock: KNOWN_BUGS_LOCK,
  parse: (json) => v.parse(knownBugsSchema, json),
  empty: {},
};

/** A composer ends soon after its TIMEOUT, at the latest. */
const GRACE_MS = 60_000;

/** The limit for one dump. */
export class KnownBugLimit {
  private readonly context: KnownBugContext;
  private judging: Promise<boolean> | undefined;
  /** The dump, where it was counted as one under way. */
  private counted: BugCrash | undefined;

  constructor(context: KnownBugContext) {
    this.context = context;
  }

  /**
   * Calls onKnown where the bug turns out to be a known one. `bug` comes from the explainer, perhaps before the core's
   * end; undefined where it never told. Never rejects.
   */
  async watch(
    bug: Promise<string | undefined>,
    metadata: Promise<Metadata>,
    onKnown: () => void,
  ): Promise<void> {
    const [told, found] = await Promise.all([bug, metadata]);
    if (told === undefined || found.verdict.kind === "skip") return;
    if (await this.isKnown(told, found)) onKnown();
  }

  /**
   * Returns whether this dump gets no core. Judges and counts it once. `bug` is null where no summary says which it is:
   * such a core is kept. Never rejects.
   */
  async isKnown(bug: string | null, found: Metadata): Promise<boolean> {
    if (this.judging === undefined && bug === null) return false;
    this.judging ??= this.judge(bug ?? "", found);
    return this.judging;
  }

  /** Counts a dump that was kept, once it is published. Never throws. */
  async settle({
    core_complete: complete,
    truncated_by: by,
  }: Pick<DumpInfo, "core_complete" | "truncated_by">): Promise<void> {
    const { counted } = this;
    if (counted === undefined) return;
    // The owner wants no more of a core than MAX_CORE_SIZE.
    const isWhole = complete === true || by === "size_limit";
    await this.count((state) => ({ state: settleBug(state, counted, isWhole), result: true }));
  }

  private async judge(bug: string, found: Metadata): Promise<boolean> {
    const { uuid, crash, settings, log, attempts } = this.context;
    const tenant = tenantOf(found, crash);
    // Nothing tells these apart, and anybody may be among them.
    if (tenant.trim() === UNKNOWN_OWNER) return false;
    const counted = { tenant, bug, uuid };
    const verdict = await this.count((state) => {
      const judged = judgeBug(state, counted, Date.now(), limitsOf(settings));
      return { state: judged.state, result: judged.verdict };
    });
    if (verdict?.kind !== "known") {
      this.counted = counted;
      return false;
    }
    const { namespace = null, podname = null } = found.facts;
    const { dumps, leftOut: left_out } = verdict;
    const window_s = settings.CRASH_LOOP_WINDOW;
    const why = `${dumps} whole dumps of bug ${bug} in ${window_s} s; this is core ${left_out} left out since`;
    attempts.record("core", why);
    log.milestone("info", "core_left_out", { namespace, podname, bug, dumps, left_out, window_s });
    return true;
  }

  private async count<R>(
    change: (state: KnownBugs) => { state: KnownBugs; result: R },
  ): Promise<R | undefined> {
    const { hostDir, log } = this.context;
    try {
      return await changeState(hostDir, STATE_FILE, change);
    } catch (error) {
      log.milestone("warn", "known_bugs_unknown", { error: describeError(error) });
      return undefined;
    }
  }
}

function limitsOf({
  KEEP_PER_BUG,
  CRASH_LOOP_WINDOW,
  TIMEOUT,
}: KnownBugContext["settings"]): KnownBugLimits {
  return {
    keep: KEEP_PER_BUG,
    windowMs: CRASH_LOOP_WINDOW * 1000,
    takesMs: TIMEOUT * 1000 + GRACE_MS,
  };
}
