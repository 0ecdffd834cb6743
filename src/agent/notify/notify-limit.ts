// How many notifications may go out in an hour, and how many of them one namespace may have, so that a tenant that
// crashes all the time silences nobody.

const HOUR_MS = 3_600_000;

/** The limit of one agent. */
export class NotifyLimit {
  private readonly perHour: number;
  private sent: { atMs: number; namespace: string }[] = [];
  /** How many were not sent since the last one that was. */
  untold = 0;

  constructor(perHour: number) {
    this.perHour = perHour;
  }

  /** Takes a place; false where there is none now, which is counted. A namespace has at most half of all. */
  take(namespace: string, nowMs: number): boolean {
    this.sent = this.sent.filter(({ atMs }) => nowMs - atMs < HOUR_MS && atMs <= nowMs);
    const own = this.sent.filter((each) => each.namespace === namespace).length;
    if (this.sent.length >= this.perHour || own >= Math.ceil(this.perHour / 2)) {
      this.untold++;
      return false;
    }
    this.sent.push({ atMs: nowMs, namespace });
    return true;
  }
}
