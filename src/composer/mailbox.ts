// A queue between two loops of one process; take waits for put.

/** The queue. */
export class Mailbox<T> {
  private readonly items: T[] = [];
  private readonly takers: ((item: T | undefined) => void)[] = [];
  private closed = false;

  put(item: T): void {
    const taker = this.takers.shift();
    if (taker === undefined) this.items.push(item);
    else taker(item);
  }

  /** Adds an item that is taken before all others. */
  putFirst(item: T): void {
    const taker = this.takers.shift();
    if (taker === undefined) this.items.unshift(item);
    else taker(item);
  }

  /** The number of items in the queue. */
  get size(): number {
    return this.items.length;
  }

  /** Takes the oldest item, or waits for one; undefined when the mailbox is closed and empty. */
  take(): Promise<T | undefined> {
    const item = this.items.shift();
    if (item !== undefined || this.closed) return Promise.resolve(item);
    return new Promise((resolve) => this.takers.push(resolve));
  }

  /** Ends the queue; the items in it can still be taken. */
  close(): void {
    this.closed = true;
    for (const taker of this.takers.splice(0)) taker(undefined);
  }
}
