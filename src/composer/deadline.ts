// The composer's time limit (TIMEOUT). A shutdown (SIGTERM) shortens it instead of ending the composer, which then
// still publishes what it has drained.

const GRACE_AFTER_SIGTERM_MS = 5_000;

/** The deadline of one composer. */
export class Deadline {
  private readonly controller = new AbortController();
  private readonly startedMs = performance.now();
  private readonly timers: Timer[] = [];
  /** The timer of TIMEOUT. */
  private timeout: Timer | undefined;
  private readonly onSigterm = () => this.timers.push(this.schedule(GRACE_AFTER_SIGTERM_MS));

  private constructor() {}

  /**
   * Starts with timeoutSeconds, which counts until the settings are read; at most 24 days, setTimeout's longest time.
   */
  static start(timeoutSeconds: number): Deadline {
    const deadline = new Deadline();
    deadline.setTimeout(timeoutSeconds);
    process.once("SIGTERM", deadline.onSigterm);
    process.on("SIGTERM", ignore);
    return deadline;
  }

  /** Aborts when the time is over. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get passed(): boolean {
    return this.controller.signal.aborted;
  }

  /** Sets the limit in seconds from the start. A deadline that has passed stays passed. */
  setTimeout(timeoutSeconds: number): void {
    clearTimeout(this.timeout);
    const elapsedMs = performance.now() - this.startedMs;
    this.timeout = this.schedule(Math.max(0, timeoutSeconds * 1000 - elapsedMs));
  }

  clear(): void {
    clearTimeout(this.timeout);
    for (const timer of this.timers) clearTimeout(timer);
    process.off("SIGTERM", this.onSigterm);
    process.off("SIGTERM", ignore);
  }

  /** Adds a timer. The first one counts, so a signal never extends the time. */
  private schedule(afterMs: number): Timer {
    const abort = () => this.controller.abort(new Error("the deadline passed"));
    return setTimeout(abort, afterMs);
  }
}

/** Stays as a listener, because without one a second SIGTERM would end the composer. */
function ignore(): void {}
