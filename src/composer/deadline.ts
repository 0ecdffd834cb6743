// The composer's time limit (TIMEOUT). A shutdown (SIGTERM) brings it near instead of ending the composer:
// what was drained by then is still published.

const GRACE_AFTER_SIGTERM_MS = 5_000;

export class Deadline {
  private readonly controller = new AbortController();
  private timer: Timer;
  private readonly onSigterm = () => {
    clearTimeout(this.timer);
    this.timer = this.schedule(GRACE_AFTER_SIGTERM_MS);
  };

  constructor(timeoutSeconds: number) {
    this.timer = this.schedule(timeoutSeconds * 1000);
    process.on("SIGTERM", this.onSigterm);
  }

  /** Aborted when the time is up. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get passed(): boolean {
    return this.controller.signal.aborted;
  }

  clear(): void {
    clearTimeout(this.timer);
    process.off("SIGTERM", this.onSigterm);
  }

  private schedule(afterMs: number): Timer {
    return setTimeout(() => this.controller.abort(new Error("the deadline passed")), afterMs);
  }
}
