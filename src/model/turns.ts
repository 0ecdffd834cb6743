// Decides which namespace is next where several wait for the same thing. Takes the oldest item of each namespace in
// turn, so that a namespace with thousands of items delays another by one item at a time.

/** An item that waits. */
export interface Waiting {
  /** As namespaceOwner (dump-owner.ts) has it. */
  namespace: string;
  /** In ms since the epoch. */
  sinceMs: number;
}

/** Remembers when each namespace had its turn. One object serves one thing that namespaces wait for. */
export class Turns {
  /** When each namespace had its last turn, counted in turns. */
  private readonly last = new Map<string, number>();
  private count = 0;

  /**
   * Returns all items in the order of their turns: one item of each namespace, the namespace longest without a turn
   * first, then the second item of each, and so on. Within a namespace the oldest item is first.
   */
  order<T extends Waiting>(waiting: readonly T[]): T[] {
    const rounds: T[][] = [];
    const taken = new Map<string, number>();
    for (const one of waiting.toSorted((a, b) => a.sinceMs - b.sinceMs)) {
      const round = taken.get(one.namespace) ?? 0;
      taken.set(one.namespace, round + 1);
      (rounds[round] ??= []).push(one);
    }
    for (const namespace of this.last.keys())
      if (!taken.has(namespace)) this.last.delete(namespace);
    const lastOf = ({ namespace }: Waiting) => this.last.get(namespace) ?? 0;
    return rounds.flatMap((round) => round.sort((a, b) => lastOf(a) - lastOf(b)));
  }

  /** Records that an item of this namespace has its turn now. */
  take(namespace: string): void {
    this.last.set(namespace, ++this.count);
  }
}
