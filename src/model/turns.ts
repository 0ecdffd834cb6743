// Who is next where namespaces wait for the same thing: the oldest of each in turn, so that one with thousands waiting
// holds up another by one at a time.

export interface Waiting {
  /** As namespaceOwner (dump-owner.ts) has it. */
  namespace: string;
  /** In ms since the epoch. */
  sinceMs: number;
}

/** Remembers whose turn it was. Made for each thing that is waited for. */
export class Turns {
  /** When each namespace had its last turn, in turns. */
  readonly #last = new Map<string, number>();
  #count = 0;

  /**
   * All that wait, in the order of their turns: one of each namespace, the one longest without a turn first, then the
   * second of each, and so on. Within a namespace the oldest is first.
   */
  order<T extends Waiting>(waiting: readonly T[]): T[] {
    const rounds: T[][] = [];
    const taken = new Map<string, number>();
    for (const one of waiting.toSorted((a, b) => a.sinceMs - b.sinceMs)) {
      const round = taken.get(one.namespace) ?? 0;
      taken.set(one.namespace, round + 1);
      (rounds[round] ??= []).push(one);
    }
    for (const namespace of this.#last.keys())
      if (!taken.has(namespace)) this.#last.delete(namespace);
    const lastOf = ({ namespace }: Waiting) => this.#last.get(namespace) ?? 0;
    return rounds.flatMap((round) => round.sort((a, b) => lastOf(a) - lastOf(b)));
  }

  /** One of this namespace has its turn now. */
  take(namespace: string): void {
    this.#last.set(namespace, ++this.#count);
  }
}
