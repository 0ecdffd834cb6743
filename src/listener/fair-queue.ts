// What waits for its turn, fair by tenant: each tenant's next in turn, and where there is room for no more, the newest
// of the tenant with the most gives way.

interface Line<T> {
  tenant: string;
  /** Oldest first. */
  items: T[];
}

export class FairQueue<T> {
  private readonly max: number;
  /** The tenant whose turn it is first. */
  private readonly lines: Line<T>[] = [];

  constructor(max: number) {
    this.max = max;
  }

  get size(): number {
    return this.lines.reduce((sum, { items }) => sum + items.length, 0);
  }

  /** Returns what has no place then: nothing, another's newest, or the item itself. */
  put(tenant: string, item: T): T | undefined {
    const known = this.lines.find((line) => line.tenant === tenant);
    const line = known ?? { tenant, items: [] };
    if (known === undefined) this.lines.push(line);
    line.items.push(item);
    if (this.size <= this.max) return undefined;
    // Of several with as many, the one that wants one more.
    const most = this.lines.reduce(
      (found, other) => (other.items.length > found.items.length ? other : found),
      line,
    );
    const given = most.items.pop();
    this.dropEmpty();
    return given;
  }

  /** The oldest of the tenant whose turn it is; it is the last one's turn then. */
  take(): T | undefined {
    const line = this.lines.shift();
    if (line === undefined) return undefined;
    const item = line.items.shift();
    if (line.items.length > 0) this.lines.push(line);
    return item;
  }

  /** Takes out all that are so; for what gets so with time, the oldest of a tenant first. */
  takeWhere(isSo: (item: T) => boolean): T[] {
    const taken: T[] = [];
    for (const { items } of this.lines)
      for (let [first] = items; first !== undefined && isSo(first); [first] = items) {
        taken.push(first);
        items.shift();
      }
    this.dropEmpty();
    return taken;
  }

  private dropEmpty(): void {
    for (let at = this.lines.length - 1; at >= 0; at--)
      if (this.lines[at]?.items.length === 0) this.lines.splice(at, 1);
  }
}
