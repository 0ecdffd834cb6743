// The composer's time limit (TIMEOUT). A shutdown (SIGTERM) brings it near instead of ending the composer:
// what was drained by then is still published.

const GRACE_AFTER_SIGTERM_MS = 5_000;

export class Deadline {
  private readonly controller = new AbortController();
  private readonly startedMs = performance.now();
  private readonly timers: Timer[] = [];
  /** The one of the settings. */
  private timeout: Timer | undefined;
  private readonly onSigterm = () => this.timers.push(this.schedule(GRACE_AFTER_SIGTERM_MS));

  /** timeoutSeconds: up to 24 days, setTimeout's longest; what counts until the settings have been read. */
  constructor(timeoutSeconds: number) {
    this.setTimeout(timeoutSeconds);
    process.once("SIGTERM", this.onSigterm);
    process.on("SIGTERM", ignore);
  }

  /** Aborted when the time is up. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get passed(): boolean {
    return this.controller.signal.aborted;
  }

  /** Counted from the start. A deadline that has passed stays so. */
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

  /** The soonest one counts: a signal never prolongs the time. */
  private schedule(afterMs: number): Timer {
    const abort = () => this.controller.abort(new Error("the deadline passed"));
    return setTimeout(abort, afterMs);
  }
}

/** A second SIGTERM must not end the composer: without a listener that is what the signal does. */
function ignore(): void {}
