// How many bytes all entries of one dump may hold together: they wait in memory until the core is
// written, and the composer as a whole stays below 64 MiB.

export class ByteBudget {
  #leftBytes: number;

  constructor(totalBytes: number) {
    this.#leftBytes = totalBytes;
  }

  /** How many of wantedBytes there is room for. */
  allow(wantedBytes: number): number {
    return Math.max(0, Math.min(wantedBytes, this.#leftBytes));
  }

  spend(sizeBytes: number): void {
    this.#leftBytes -= sizeBytes;
  }
}
