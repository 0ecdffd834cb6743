// A signal between the loops of one process: whoever waits is woken by the next notify and looks again.

/** The signal. */
export class Change {
  private next = Promise.withResolvers<void>();

  /** Settles at the next notify. */
  wait(): Promise<void> {
    return this.next.promise;
  }

  notify(): void {
    this.next.resolve();
    this.next = Promise.withResolvers();
  }
}
