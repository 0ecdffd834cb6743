// The dumps whose composer told of their beginning and not yet of their end. An end that nobody ever tells is a
// composer that was killed before the dump had a file, or right behind its publication.

export interface DumpUnderWay {
  uuid: string;
  exe: string;
  signal: string;
  /** When we read of its beginning, in ms since the epoch. */
  sinceMs: number;
}

/** Of each kind; the oldest are forgotten. */
const REMEMBERED_MAX = 1000;

export class DumpsUnderWay {
  private readonly begun = new Map<string, DumpUnderWay>();
  /** After a start of ours a dump may be sealed before composer.log's line of its beginning is read. */
  private readonly endedUnread = new Set<string>();

  begin(dump: DumpUnderWay): void {
    if (this.endedUnread.delete(dump.uuid)) return;
    forgetOldest(this.begun);
    this.begun.set(dump.uuid, dump);
  }

  /** What its beginning told; undefined where that was not read, or by another agent. */
  end(uuid: string): DumpUnderWay | undefined {
    const dump = this.begun.get(uuid);
    if (this.begun.delete(uuid)) return dump;
    forgetOldest(this.endedUnread);
    this.endedUnread.add(uuid);
    return undefined;
  }

  /** Ends, and returns, those that began before `beforeMs` and have no file by which they could still end. */
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
