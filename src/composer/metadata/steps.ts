// The optional steps of one collection, under one deadline: a step that fails, or is not done in time,
// is recorded and answered with its fallback. The composer never waits longer than the deadline.
import type { Attempts } from "../attempt.ts";

/** A step that obeys the signal can still say what it was waiting for. */
const GRACE_MS = 50;

export class Steps {
  /** Aborted at the deadline, or with the composer itself. */
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  readonly #attempts: Attempts;
  readonly #controller = new AbortController();
  readonly #expired: Promise<never>;
  readonly #timer: Timer;
  /** Settings that do not fit the host, a sentence each. */
  readonly complaints: string[] = [];

  /** timeoutMs from now on. dispose() when done, or the timer keeps the process alive. */
  constructor(attempts: Attempts, timeoutMs: number, signal: AbortSignal) {
    this.#attempts = attempts;
    this.deadlineMs = Date.now() + timeoutMs;
    this.signal = AbortSignal.any([signal, this.#controller.signal]);
    this.#timer = setTimeout(() => this.#controller.abort(), timeoutMs);
    this.#expired = new Promise((_, reject) => {
      const expire = () => setTimeout(() => reject(new Error("no answer in time")), GRACE_MS);
      if (this.signal.aborted) expire();
      else this.signal.addEventListener("abort", expire, { once: true });
    });
    // A collection that ends in time never looks at it.
    this.#expired.catch(() => undefined);
  }

  /** Runs fn unless the time is up, for as long as there is time. Never throws. */
  step<T>(label: string, fn: () => T | Promise<T>, fallback: T): Promise<T> {
    const run = () => {
      if (this.signal.aborted) throw new Error("no time left");
      return Promise.race([fn(), this.#expired]);
    };
    return this.#attempts.attempt(label, run, fallback);
  }

  record(label: string, why: string): void {
    this.#attempts.record(label, why);
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }
}
