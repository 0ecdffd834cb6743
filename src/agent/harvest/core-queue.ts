// The queue of core files that wait for a composer. It is bounded and takes one file at a time from each namespace in
// turn, so that no namespace delays another. A file that is still written waits; one whose composer failed, or could
// not take all of it, is tried again.
import { closeSync } from "node:fs";
import { describeError } from "../../model/app-error.ts";
import { planBackoff } from "../../model/backoff.ts";
import { Turns } from "../../model/turns.ts";
import type { Log } from "../../host/log.ts";
import type { Composed } from "./composing.ts";
import { isUnlinked, openWhenFinished, removeCore, type FoundCore } from "./found-core.ts";
import { namespaceOf } from "./owner.ts";
import type { Spot } from "./spots.ts";

/** What the queue calls. */
export interface QueueContext {
  log: Log;
  /** Zips a core. With `keepsCut` even a zip that does not hold the whole core is published. */
  compose: (core: FoundCore, input: number, keepsCut: boolean) => Promise<Composed>;
  /** Called when a core's zip is published; isRemoved is false where the original could not be removed. */
  onTaken: (core: FoundCore, isRemoved: boolean) => void;
  onRefused: (core: FoundCore, why: string) => void;
  onFailed: (core: FoundCore) => void;
  /** Called when a zip of a part of a core is published; the original stays. */
  onLeft: (core: FoundCore) => void;
}

interface Waiting {
  core: FoundCore;
  /** As namespaceOwner (dump-owner.ts) has it. */
  namespace: string;
  sinceMs: number;
  nextMs: number;
  checks: number;
  failures: number;
  /** How often a composer could not take the whole core. */
  cuts: number;
  isRunning: boolean;
  isSaid: boolean;
}

/** How many composers run at once; each takes 64 MiB and a processor. */
const COMPOSERS_MAX = 2;
/**
 * How many files of a spot wait, each of which holds a descriptor. The next look at the spot finds the others again.
 */
const PER_SPOT_MAX = 16;
const PER_NAMESPACE_MAX = 64;
const TOTAL_MAX = 256;
const WRITTEN_CHECK = { firstMs: 100, maxMs: 5_000 };
/** After how long a file that is still written is logged, in ms; a dump takes seconds. */
const WRITTEN_SAID_AFTER_MS = 600_000;
const RETRY = { baseMs: 5_000, capMs: 600_000 };
const RETRY_LEAST_MS = 1_000;
/**
 * When a core that did not fit is tried again: there may be room or time after one minute, or after four. After that
 * the zip keeps what it can.
 */
const CUT_RETRY = { baseMs: 60_000, capMs: 600_000 };
const CUT_TRIES_MAX = 4;
/** How often a file without a name is tried; only this process's descriptor keeps it on the disk. */
const UNLINKED_TRIES_MAX = 10;

/** The queue. */
export class CoreQueue {
  private readonly context: QueueContext;
  private readonly waiting = new Map<string, Waiting>();
  private readonly running = new Set<Promise<void>>();
  private readonly turns = new Turns();

  constructor(context: QueueContext) {
    this.context = context;
  }

  get size(): number {
    return this.waiting.size;
  }

  hasRoomFor(spot: Spot): boolean {
    const all = [...this.waiting.values()];
    const namespace = namespaceOf(spot.owners.values());
    const held = all.filter((waiting) => waiting.namespace === namespace).length;
    if (held >= PER_NAMESPACE_MAX) return false;
    if (all.filter(({ core }) => core.spot === spot).length >= PER_SPOT_MAX) return false;
    return all.length < TOTAL_MAX || this.dispensable(held) !== undefined;
  }

  /**
   * Adds a core and takes over its descriptor. Closes the descriptor of a file that waits already. When the queue is
   * full, the namespace with the most files loses one.
   */
  add(core: FoundCore): void {
    if (this.waiting.has(core.key)) {
      closeSync(core.fd);
      return;
    }
    const sinceMs = Date.now();
    const namespace = namespaceOf(core.owners);
    const fresh = { checks: 0, failures: 0, cuts: 0, isRunning: false, isSaid: false };
    if (this.waiting.size >= TOTAL_MAX) {
      const given = this.dispensable(0);
      if (given !== undefined) this.drop(given);
    }
    this.waiting.set(core.key, { core, namespace, sinceMs, nextMs: sinceMs, ...fresh });
  }

  /** Returns the newest file of the namespace with the most files, if that has more than `held` + 1. */
  private dispensable(held: number): Waiting | undefined {
    const places = Map.groupBy(this.waiting.values(), ({ namespace }) => namespace);
    const most = [...places.values()].reduce((a, b) => (b.length > a.length ? b : a), []);
    if (most.length <= held + 1) return undefined;
    return most.findLast(({ isRunning }) => !isRunning);
  }

  /** Starts composers for the cores that are ready and have their turn. Never waits. */
  turn(nowMs = Date.now()): void {
    if (this.running.size >= COMPOSERS_MAX) return;
    const all = [...this.waiting.values()];
    const busy = new Set(all.filter(({ isRunning }) => isRunning).map((one) => one.namespace));
    const ready = all.filter(({ isRunning, nextMs }) => !isRunning && nextMs <= nowMs);
    for (const waiting of this.turns.order(ready)) {
      if (this.running.size >= COMPOSERS_MAX) return;
      if (busy.has(waiting.namespace) || !this.start(waiting, nowMs)) continue;
      busy.add(waiting.namespace);
      this.turns.take(waiting.namespace);
    }
  }

  /** Settles when no composer runs. */
  async settled(): Promise<void> {
    await Promise.all(this.running);
  }

  /** Closes the waiting files, which a later look finds again. Files that a composer works on stay open. */
  close(): void {
    for (const waiting of this.waiting.values()) if (!waiting.isRunning) this.drop(waiting);
  }

  private start(waiting: Waiting, nowMs: number): boolean {
    const { core } = waiting;
    try {
      const readiness = openWhenFinished(core, nowMs);
      if (readiness.kind === "ready") {
        this.run(waiting, readiness.input);
        return true;
      }
      if (readiness.kind === "being_written") this.waitForWriter(waiting, nowMs);
      else this.drop(waiting);
      if (readiness.kind === "refused") this.context.onRefused(core, readiness.why);
    } catch (error) {
      this.fail(waiting, describeError(error));
    }
    return false;
  }

  private waitForWriter(waiting: Waiting, nowMs: number): void {
    const pauseMs = WRITTEN_CHECK.firstMs * 2 ** Math.min(waiting.checks, 10);
    waiting.checks++;
    waiting.nextMs = nowMs + Math.min(pauseMs, WRITTEN_CHECK.maxMs);
    if (waiting.isSaid || nowMs - waiting.sinceMs < WRITTEN_SAID_AFTER_MS) return;
    waiting.isSaid = true;
    this.context.log.warn("core_file_still_written", { file: fileOf(waiting.core) });
  }

  private run(waiting: Waiting, input: number): void {
    waiting.isRunning = true;
    const running = this.compose(waiting, input).finally(() => {
      closeSync(input);
      waiting.isRunning = false;
      this.running.delete(running);
    });
    this.running.add(running);
  }

  private async compose(waiting: Waiting, input: number): Promise<void> {
    const { core } = waiting;
    const keepsCut = waiting.cuts >= CUT_TRIES_MAX - 1;
    const composed = await this.context
      .compose(core, input, keepsCut)
      .catch((error: unknown): Composed => ({ kind: "failed", why: describeError(error) }));
    if (composed.kind === "cut") waiting.cuts++;
    if (composed.kind === "cut" && keepsCut) {
      this.leave(waiting);
      return;
    }
    if (composed.kind !== "done") {
      this.fail(waiting, composed.why, composed.kind === "cut" ? CUT_RETRY : RETRY);
      return;
    }
    let isRemoved = true;
    try {
      removeCore(core);
    } catch (error) {
      isRemoved = false;
      const hint = "its zip is published; give the agent the right to remove it, or remove it";
      this.context.log.error("core_file_not_removed", {
        file: fileOf(core),
        error: describeError(error),
        hint,
      });
    }
    this.drop(waiting);
    this.context.onTaken(core, isRemoved);
  }

  /**
   * Leaves a core whose zip is published and labelled as cut. It can be read in its place as long as its container
   * exists.
   */
  private leave(waiting: Waiting): void {
    const { core, cuts } = waiting;
    const hint = "copy it from there; see truncated_by in its zip's dump-info for what to change";
    this.context.log.error("core_file_left", { file: fileOf(core), tries: cuts, hint });
    this.context.onLeft(core);
    this.drop(waiting);
  }

  private fail(waiting: Waiting, why: string, retry = RETRY): void {
    const { core } = waiting;
    waiting.failures++;
    const isGivenUp = waiting.failures >= UNLINKED_TRIES_MAX && isUnlinked(core);
    const pauseMs = planBackoff(waiting.failures, retry, Math.random, RETRY_LEAST_MS);
    waiting.nextMs = Date.now() + pauseMs;
    const fields = { file: fileOf(core), tries: waiting.failures, error: why };
    this.context.onFailed(core);
    if (!isGivenUp) {
      this.context.log.warn("core_file_failed", { ...fields, again_ms: pauseMs });
      return;
    }
    this.context.log.error("core_file_given_up", fields);
    this.drop(waiting);
  }

  private drop({ core }: Waiting): void {
    this.waiting.delete(core.key);
    closeSync(core.fd);
  }
}

/** Returns a core's path for the log. */
export function fileOf({ spot, name }: Pick<FoundCore, "spot" | "name">): string {
  return `${spot.path}${spot.isLayer ? "/tmp" : ""}/${name.toString()}`;
}
