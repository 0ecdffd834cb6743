// Keeps the places to which a core's entry can be cut back when the disk is full: the newest ones, with some distance
// between them, and the entry's start.
import type { Checkpoint } from "./zip-archive.ts";

const MAX = 64;
const STEP_BYTES = 256 * 1024;

/** The checkpoints of one core. */
export class Checkpoints {
  private readonly start: Checkpoint;
  private readonly older: Checkpoint[] = [];
  private last: Checkpoint;

  constructor(start: Checkpoint) {
    this.start = start;
    this.last = start;
  }

  /** The newest checkpoint: how much of the core is certainly in the file. */
  get newest(): Checkpoint {
    return this.last;
  }

  remember(checkpoint: Checkpoint): void {
    const before = this.older.at(-1) ?? this.start;
    if (this.last.fileBytes - before.fileBytes >= STEP_BYTES) this.older.push(this.last);
    if (this.older.length > MAX) this.older.shift();
    this.last = checkpoint;
  }

  /** Returns the entry's start and drops all checkpoints after it. */
  cutToStart(): Checkpoint {
    this.older.length = 0;
    this.last = this.start;
    return this.start;
  }

  /**
   * Returns the newest checkpoint at which the file is at most maxFileBytes long, and drops those after it; undefined
   * where there is none.
   */
  cutTo(maxFileBytes: number): Checkpoint | undefined {
    let found: Checkpoint | undefined = this.last;
    while (found !== undefined && found.fileBytes > maxFileBytes) found = this.older.pop();
    if (found === undefined && this.start.fileBytes <= maxFileBytes) found = this.start;
    if (found !== undefined) this.last = found;
    return found;
  }
}
