// The dumps that have a first record and no last one yet. If no last record ever comes, the composer was killed before
// the dump had a file, or right after its publication.

/** A dump that has begun. */
export interface DumpUnderWay {
  uuid: string;
  exe: string;
  signal: string;
  /** When the agent read the first record, in ms since the epoch. */
  sinceMs: number;
}

/** How many dumps are kept of each kind; the oldest are forgotten. */
const REMEMBERED_MAX = 1000;

/** The dumps under way. */
export class DumpsUnderWay {
  private readonly begun = new Map<string, DumpUnderWay>();
  /**
   * Dumps that ended before their first record was read: after a start of the agent, recovery may seal a dump that
   * early.
   */
  private readonly endedUnread = new Set<string>();

  begin(dump: DumpUnderWay): void {
    if (this.endedUnread.delete(dump.uuid)) return;
    forgetOldest(this.begun);
    this.begun.set(dump.uuid, dump);
  }

  /** Ends a dump. Returns what its first record told; undefined where this agent has not read that. */
  end(uuid: string): DumpUnderWay | undefined {
    const dump = this.begun.get(uuid);
    if (this.begun.delete(uuid)) return dump;
    forgetOldest(this.endedUnread);
    this.endedUnread.add(uuid);
    return undefined;
  }

  /**
   * Ends and returns the dumps that began before `beforeMs` and have no file, so that no record of their end can come.
   */
  takeUnaccounted(beforeMs: number, hasFile: (uuid: string) => boolean): DumpUnderWay[] {
    const taken = [...this.begun.values()].filter(
      ({ uuid, sinceMs }) => sinceMs < beforeMs && !hasFile(uuid),
    );
    for (const { uuid } of taken) this.begun.delete(uuid);
    return taken;
  }
}

function forgetOldest(known: Map<string, unknown> | Set<string>): void {
  const [oldest] = known.keys();
  if (known.size >= REMEMBERED_MAX && oldest !== undefined) known.delete(oldest);
}
