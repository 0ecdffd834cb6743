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
  private readonly expired: Promise<never>;
  private readonly timer: Timer;
  /** Settings that do not fit the host, one sentence each. */
  readonly complaints: string[] = [];

  private constructor(attempts: Attempts, timeoutMs: number, signal: AbortSignal, timer: Timer) {
    this.attempts = attempts;
    this.deadlineMs = Date.now() + timeoutMs;
    this.signal = signal;
    this.timer = timer;
    this.expired = new Promise((_, reject) => {
      const expire = () => setTimeout(() => reject(new Error("no answer in time")), GRACE_MS);
      if (signal.aborted) expire();
      else signal.addEventListener("abort", expire, { once: true });
    });
    // A collection that ends in time never awaits this promise.
    this.expired.catch(() => undefined);
  }

  /**
   * Sets the deadline to timeoutMs from now. The caller calls dispose() at the end, because the timer keeps the process
   * alive.
   */
  static start(attempts: Attempts, timeoutMs: number, signal: AbortSignal): Steps {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), timeoutMs);
    return new Steps(attempts, timeoutMs, AbortSignal.any([signal, controller.signal]), timer);
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
