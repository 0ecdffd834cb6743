// How many dumps are delivered at a time. Small ones go side by side, because each waits for the network and the disk
// most of its time; a large one fills the line, and the agent's memory, by itself.

const LANES_MAX = 8;
/** The most bytes of dumps that are under way together; a larger dump goes alone. */
const BYTES_MAX = 8 * 1024 * 1024;

/** Runs deliveries side by side, one until the first has gone well, so that a dead store is not asked by many. */
export class Lanes {
  private width = 1;
  private bytes = 0;
  private readonly underWay = new Set<Promise<void>>();

  /** Settles when a dump of this size may start. */
  async room(sizeBytes: number): Promise<void> {
    while (this.underWay.size > 0 && !this.fits(sizeBytes)) await Promise.race(this.underWay);
  }

  private fits(sizeBytes: number): boolean {
    return this.underWay.size < this.width && this.bytes + sizeBytes <= BYTES_MAX;
  }

  /** Starts a delivery, which tells whether it went well and never rejects. */
  start(sizeBytes: number, deliver: () => Promise<boolean>): void {
    this.bytes += sizeBytes;
    const running = deliver().then((wentWell) => {
      this.width = wentWell ? LANES_MAX : 1;
      this.bytes -= sizeBytes;
      this.underWay.delete(running);
    });
    this.underWay.add(running);
  }

  /** Settles when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.underWay);
  }
}
