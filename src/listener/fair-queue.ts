// A queue that is fair by tenant: tenants take turns, and when the queue is full, the newest item of the tenant with
// the most items is dropped.

interface Line<T> {
  tenant: string;
  /** The tenant's items, the oldest first. */
  items: T[];
}

/** The queue. */
export class FairQueue<T> {
  private readonly max: number;
  /** The tenants' lines; the first one is next. */
  private readonly lines: Line<T>[] = [];

  constructor(max: number) {
    this.max = max;
  }

  get size(): number {
    return this.lines.reduce((sum, { items }) => sum + items.length, 0);
  }

  /** Adds an item. Returns the item that has no place: undefined, another tenant's newest, or this item itself. */
  put(tenant: string, item: T): T | undefined {
    const known = this.lines.find((line) => line.tenant === tenant);
    const line = known ?? { tenant, items: [] };
    if (known === undefined) this.lines.push(line);
    line.items.push(item);
    if (this.size <= this.max) return undefined;
    // Of several tenants with as many items, it is the one that adds another.
    const most = this.lines.reduce(
      (found, other) => (other.items.length > found.items.length ? other : found),
      line,
    );
    const given = most.items.pop();
    this.dropEmpty();
    return given;
  }

  /** Takes the oldest item of the next tenant, whose turn is the last then; undefined where the queue is empty. */
  take(): T | undefined {
    const line = this.lines.shift();
    if (line === undefined) return undefined;
    const item = line.items.shift();
    if (line.items.length > 0) this.lines.push(line);
    return item;
  }

  /**
   * Takes out, for each tenant, the oldest items up to the first for which isSo is false. It suits a condition that
   * items meet with their age.
   */
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
