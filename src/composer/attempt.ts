// Runs the best-effort steps of one dump: a step that fails is recorded for dump-info, and its fallback counts. Steps
// that the core depends on (reading it, publishing it) do not go through here.
import { describeError } from "../model/app-error.ts";
import { oneLine } from "../model/printable.ts";
import type { Missing } from "../model/dump-info.ts";

/** Runs steps and records their failures. */
export interface Attempts {
  /** Runs fn; when it throws, records the failure under label and returns fallback. Never throws. */
  attempt<T>(label: string, fn: () => T | Promise<T>, fallback: T): Promise<T>;
  /** Records a piece that is missing without an exception. */
  record(label: string, why: string): void;
}

const FAILURE_MAX_CHARACTERS = 300;
/**
 * How many failures are listed. The rest is only counted, so that a pod with very many broken pieces does not swell
 * dump-info.
 */
const FAILURES_MAX = 30;

/** The failures of one dump. */
export class AttemptLog implements Attempts {
  private failures: Missing[] = [];
  private omitted = 0;

  async attempt<T>(label: string, fn: () => T | Promise<T>, fallback: T): Promise<T> {
    try {
      return await fn();
    } catch (error) {
      this.record(label, describeError(error));
      return fallback;
    }
  }

  record(label: string, why: string): void {
    if (this.failures.length >= FAILURES_MAX) {
      this.omitted++;
      return;
    }
    this.failures.push({ what: label, why: oneLine(why).slice(0, FAILURE_MAX_CHARACTERS) });
  }

  /** What is missing and why, in the order of the failures. */
  get missing(): Missing[] {
    if (this.omitted === 0) return [...this.failures];
    return [...this.failures, { what: "more", why: `${this.omitted} more pieces failed` }];
  }
}
