// The places that a core's entry may be cut back to when the disk is full: the newest ones, not too close
// to each other, and the entry's start, which always does.
import type { Checkpoint } from "./zip-archive.ts";

const MAX = 64;
const STEP_BYTES = 256 * 1024;

export class Checkpoints {
  private readonly start: Checkpoint;
  private readonly older: Checkpoint[] = [];
  private last: Checkpoint;

  constructor(start: Checkpoint) {
    this.start = start;
    this.last = start;
  }

  /** How much of the core is in the file for certain. */
  get newest(): Checkpoint {
    return this.last;
  }

  remember(checkpoint: Checkpoint): void {
    const before = this.older.at(-1) ?? this.start;
    if (this.last.fileBytes - before.fileBytes >= STEP_BYTES) this.older.push(this.last);
    if (this.older.length > MAX) this.older.shift();
    this.last = checkpoint;
  }

  /** The newest one whose file is at most maxFileBytes long; it is the newest of all from then on. */
  cutTo(maxFileBytes: number): Checkpoint | undefined {
    let found: Checkpoint | undefined = this.last;
    while (found !== undefined && found.fileBytes > maxFileBytes) found = this.older.pop();
    if (found === undefined && this.start.fileBytes <= maxFileBytes) found = this.start;
    if (found !== undefined) this.last = found;
    return found;
  }
}
