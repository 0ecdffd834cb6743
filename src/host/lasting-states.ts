// Reports a state that lasts (an error at every turn of a loop, a setting that drifted) once, and again only after it
// has changed or ended.

/** Remembers which states the log has, so that one that lasts is logged once. */
export class LastingStates {
  private readonly known = new Map<string, string>();

  /** True where `state` is not what was noted about this matter before; it is noted then. */
  isNews(about: string, state: string): boolean {
    if (this.known.get(about) === state) return false;
    this.known.set(about, state);
    return true;
  }

  has(about: string): boolean {
    return this.known.has(about);
  }

  /** The matter is in order again: whatever comes next about it is news. */
  end(about: string): void {
    this.known.delete(about);
  }
}
