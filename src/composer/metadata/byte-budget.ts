// Limits the bytes of all small entries of one dump together. They wait in memory until the core is written, and the
// composer as a whole stays below 64 MiB.

/** The budget of one dump. */
export class ByteBudget {
  private leftBytes: number;

  constructor(totalBytes: number) {
    this.leftBytes = totalBytes;
  }

  /** Takes up to wantedBytes from the budget and returns how many it took. */
  allow(wantedBytes: number): number {
    return Math.max(0, Math.min(wantedBytes, this.leftBytes));
  }

  spend(sizeBytes: number): void {
    this.leftBytes -= sizeBytes;
  }
}
