// A queue between two loops of one process: take waits for put.

export class Mailbox<T> {
  private readonly items: T[] = [];
  private readonly takers: ((item: T | undefined) => void)[] = [];
  private closed = false;

  put(item: T): void {
    const taker = this.takers.shift();
    if (taker === undefined) this.items.push(item);
    else taker(item);
  }

  /** For an item that is to be taken before all others. */
  putFirst(item: T): void {
    const taker = this.takers.shift();
    if (taker === undefined) this.items.unshift(item);
    else taker(item);
  }

  /** How many items wait to be taken. */
  get size(): number {
    return this.items.length;
  }

  /** The oldest item; undefined when the mailbox is closed and empty. */
  take(): Promise<T | undefined> {
    const item = this.items.shift();
    if (item !== undefined || this.closed) return Promise.resolve(item);
    return new Promise((resolve) => this.takers.push(resolve));
  }

  /** No more items will come; what is in it can still be taken. */
  close(): void {
    this.closed = true;
    for (const taker of this.takers.splice(0)) taker(undefined);
  }
}
