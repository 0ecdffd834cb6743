// The composer's time limit (TIMEOUT). A shutdown (SIGTERM) brings it near instead of ending the composer:
// what was drained by then is still published.

const GRACE_AFTER_SIGTERM_MS = 5_000;

export class Deadline {
  private readonly controller = new AbortController();
  private readonly timers: Timer[] = [];
  private readonly onSigterm = () => this.schedule(GRACE_AFTER_SIGTERM_MS);

  /** timeoutSeconds: up to 24 days, setTimeout's longest. */
  constructor(timeoutSeconds: number) {
    this.schedule(timeoutSeconds * 1000);
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

  clear(): void {
    for (const timer of this.timers) clearTimeout(timer);
    process.off("SIGTERM", this.onSigterm);
    process.off("SIGTERM", ignore);
  }

  /** The soonest one counts: a signal never prolongs the time. */
  private schedule(afterMs: number): void {
    const abort = () => this.controller.abort(new Error("the deadline passed"));
    this.timers.push(setTimeout(abort, afterMs));
  }
}

/** A second SIGTERM must not end the composer: without a listener that is what the signal does. */
function ignore(): void {}
