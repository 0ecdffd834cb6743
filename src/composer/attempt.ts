// Best-effort steps of one dump: a step that fails is remembered for dump-info and answered with its
// fallback. What may cost the core (reading it, publishing it) never goes through here.
import { describeError } from "../model/app-error.ts";
import { oneLine } from "../model/printable.ts";
import type { Missing } from "../model/dump-info.ts";

export interface Attempts {
  /** Runs fn; when it throws, records the failure under label and returns fallback. Never throws. */
  attempt<T>(label: string, fn: () => T | Promise<T>, fallback: T): Promise<T>;
  /** Notes a piece that is missing without an exception. */
  record(label: string, why: string): void;
}

const FAILURE_MAX_CHARACTERS = 300;
/** A pod with very many broken pieces must not swell dump-info; the rest is only counted. */
const FAILURES_MAX = 30;

export class AttemptLog implements Attempts {
  #failures: Missing[] = [];
  #omitted = 0;

  async attempt<T>(label: string, fn: () => T | Promise<T>, fallback: T): Promise<T> {
    try {
      return await fn();
    } catch (error) {
      this.record(label, describeError(error));
      return fallback;
    }
  }

  record(label: string, why: string): void {
    if (this.#failures.length >= FAILURES_MAX) {
      this.#omitted++;
      return;
    }
    this.#failures.push({ what: label, why: oneLine(why).slice(0, FAILURE_MAX_CHARACTERS) });
  }

  /** What is missing and why, in the order of happening. */
  get missing(): Missing[] {
    if (this.#omitted === 0) return [...this.#failures];
    return [...this.#failures, { what: "more", why: `${this.#omitted} more pieces failed` }];
  }
}
