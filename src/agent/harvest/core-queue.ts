// The core files that wait for their composer: bounded in number, one at a time from each spot, so that no container
// stands in another's way; a file that is being written waits, one whose composer failed is tried again.
import { closeSync } from "node:fs";
import { describeError } from "../../model/app-error.ts";
import { planBackoff } from "../../model/backoff.ts";
import type { Log } from "../../host/log.ts";
import type { Composed } from "./composing.ts";
import { isUnlinked, openWhenFinished, removeCore, type FoundCore } from "./found-core.ts";
import type { Spot } from "./spots.ts";

export interface QueueContext {
  log: Log;
  compose: (core: FoundCore, input: number) => Promise<Composed>;
  /** Its zip is published; isRemoved is false where the original could not be removed. */
  onTaken: (core: FoundCore, isRemoved: boolean) => void;
  onRefused: (core: FoundCore, why: string) => void;
  onFailed: (core: FoundCore) => void;
}

interface Waiting {
  core: FoundCore;
  sinceMs: number;
  nextMs: number;
  checks: number;
  failures: number;
  isRunning: boolean;
  isSaid: boolean;
}

/** Each composer has 64 MiB and a processor's time. */
const COMPOSERS_MAX = 2;
/** Descriptors held. What finds no place is found again by the next look at its spot. */
const PER_SPOT_MAX = 16;
const TOTAL_MAX = 256;
const WRITTEN_CHECK = { firstMs: 100, maxMs: 5_000 };
/** A dump takes seconds; a file that is written for longer is worth a word. */
const WRITTEN_SAID_AFTER_MS = 600_000;
const RETRY = { baseMs: 5_000, capMs: 600_000 };
const RETRY_LEAST_MS = 1_000;
/** Of a file that no name leads to any more: only we keep it on the disk. */
const UNLINKED_TRIES_MAX = 10;

export class CoreQueue {
  readonly #context: QueueContext;
  readonly #waiting = new Map<string, Waiting>();
  readonly #running = new Set<Promise<void>>();

  constructor(context: QueueContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#waiting.size;
  }

  hasRoomFor(spot: Spot): boolean {
    if (this.#waiting.size >= TOTAL_MAX) return false;
    return (
      this.#waiting
        .values()
        .filter(({ core }) => core.spot === spot)
        .toArray().length < PER_SPOT_MAX
    );
  }

  /** Takes over its descriptor; one that waits already is let go of. */
  add(core: FoundCore): void {
    if (this.#waiting.has(core.key)) {
      closeSync(core.fd);
      return;
    }
    const sinceMs = Date.now();
    const fresh = { checks: 0, failures: 0, isRunning: false, isSaid: false };
    this.#waiting.set(core.key, { core, sinceMs, nextMs: sinceMs, ...fresh });
  }

  /** Starts what is ready and has its turn. Never waits. */
  turn(nowMs = Date.now()): void {
    const busy = new Set(
      this.#waiting
        .values()
        .filter(({ isRunning }) => isRunning)
        .map(({ core }) => core.spot),
    );
    for (const waiting of this.#waiting.values()) {
      if (this.#running.size >= COMPOSERS_MAX) return;
      if (waiting.isRunning || waiting.nextMs > nowMs || busy.has(waiting.core.spot)) continue;
      if (this.#start(waiting, nowMs)) busy.add(waiting.core.spot);
    }
  }

  /** Settles when no composer is at work. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Lets go of what waits; a later look finds it again. What a composer still works on stays ours. */
  close(): void {
    for (const waiting of this.#waiting.values()) if (!waiting.isRunning) this.#drop(waiting);
  }

  #start(waiting: Waiting, nowMs: number): boolean {
    const { core } = waiting;
    try {
      const readiness = openWhenFinished(core, nowMs);
      if (readiness.kind === "ready") {
        this.#run(waiting, readiness.input);
        return true;
      }
      if (readiness.kind === "being_written") this.#waitForWriter(waiting, nowMs);
      else this.#drop(waiting);
      if (readiness.kind === "refused") this.#context.onRefused(core, readiness.why);
    } catch (error) {
      this.#fail(waiting, describeError(error));
    }
    return false;
  }

  #waitForWriter(waiting: Waiting, nowMs: number): void {
    const pauseMs = WRITTEN_CHECK.firstMs * 2 ** Math.min(waiting.checks, 10);
    waiting.checks++;
    waiting.nextMs = nowMs + Math.min(pauseMs, WRITTEN_CHECK.maxMs);
    if (waiting.isSaid || nowMs - waiting.sinceMs < WRITTEN_SAID_AFTER_MS) return;
    waiting.isSaid = true;
    this.#context.log.warn("core_file_still_written", { file: fileOf(waiting.core) });
  }

  #run(waiting: Waiting, input: number): void {
    waiting.isRunning = true;
    const running = this.#compose(waiting, input).finally(() => {
      closeSync(input);
      waiting.isRunning = false;
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  async #compose(waiting: Waiting, input: number): Promise<void> {
    const { core } = waiting;
    const composed = await this.#context
      .compose(core, input)
      .catch((error: unknown): Composed => ({ kind: "failed", why: describeError(error) }));
    if (composed.kind === "failed") {
      this.#fail(waiting, composed.why);
      return;
    }
    let isRemoved = true;
    try {
      removeCore(core);
    } catch (error) {
      isRemoved = false;
      const hint = "its zip is published; give the agent the right to remove it, or remove it";
      this.#context.log.error("core_file_not_removed", {
        file: fileOf(core),
        error: describeError(error),
        hint,
      });
    }
    this.#drop(waiting);
    this.#context.onTaken(core, isRemoved);
  }

  #fail(waiting: Waiting, why: string): void {
    const { core } = waiting;
    waiting.failures++;
    const isGivenUp = waiting.failures >= UNLINKED_TRIES_MAX && isUnlinked(core);
    const pauseMs = planBackoff(waiting.failures, RETRY, Math.random, RETRY_LEAST_MS);
    waiting.nextMs = Date.now() + pauseMs;
    const fields = { file: fileOf(core), tries: waiting.failures, error: why };
    this.#context.onFailed(core);
    if (!isGivenUp) {
      this.#context.log.warn("core_file_failed", { ...fields, again_ms: pauseMs });
      return;
    }
    this.#context.log.error("core_file_given_up", fields);
    this.#drop(waiting);
  }

  #drop({ core }: Waiting): void {
    this.#waiting.delete(core.key);
    closeSync(core.fd);
  }
}

/** For the log. */
export function fileOf({ spot, name }: Pick<FoundCore, "spot" | "name">): string {
  return `${spot.path}${spot.isLayer ? "/tmp" : ""}/${name.toString()}`;
}
