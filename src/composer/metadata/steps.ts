// Runs the optional steps of one collection under one deadline. Records a step that fails or is late, and uses its
// fallback. The composer never waits longer than the deadline.
import type { Attempts } from "../attempt.ts";

/** How long after the signal, in ms, a step may still report what it was waiting for. */
const GRACE_MS = 50;

/** The steps of one collection. */
export class Steps {
  /** Aborts at the deadline, or when the composer's own signal does. */
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  private readonly attempts: Attempts;
  private readonly controller = new AbortController();
  private readonly expired: Promise<never>;
  private readonly timer: Timer;
  /** Settings that do not fit the host, one sentence each. */
  readonly complaints: string[] = [];

  /**
   * Sets the deadline to timeoutMs from now. The caller calls dispose() at the end, because the timer keeps the process
   * alive.
   */
  constructor(attempts: Attempts, timeoutMs: number, signal: AbortSignal) {
    this.attempts = attempts;
    this.deadlineMs = Date.now() + timeoutMs;
    this.signal = AbortSignal.any([signal, this.controller.signal]);
    this.timer = setTimeout(() => this.controller.abort(), timeoutMs);
    this.expired = new Promise((_, reject) => {
      const expire = () => setTimeout(() => reject(new Error("no answer in time")), GRACE_MS);
      if (this.signal.aborted) expire();
      else this.signal.addEventListener("abort", expire, { once: true });
    });
    // A collection that ends in time never awaits this promise.
    this.expired.catch(() => undefined);
  }

  /** Runs fn within the remaining time; returns the fallback when there is none. Never throws. */
  step<T>(label: string, fn: () => T | Promise<T>, fallback: T): Promise<T> {
    const run = () => {
      if (this.signal.aborted) throw new Error("no time left");
      return Promise.race([fn(), this.expired]);
    };
    return this.attempts.attempt(label, run, fallback);
  }

  record(label: string, why: string): void {
    this.attempts.record(label, why);
  }

  dispose(): void {
    clearTimeout(this.timer);
  }
}
