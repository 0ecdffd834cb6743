// Restores the lines of a container's log file as the container wrote them. CRI's format is
// `2016-10-06T00:17:09.669794202Z stdout F text` (kubernetes, CRI logging design). Pure. Works on bytes and makes no
// object per line, because a megabyte of log as strings makes ten megabytes of garbage. container-log.ts decides which
// file is read, and how much of it.

const NEWLINE = 10;
const SPACE = 32;
const COLON = 58;
const [P, F, T, E, O] = [80, 70, 84, 101, 111];
/** The index of the T in 2016-10-06T. */
const T_AT = 10;
const STREAM_LENGTH = 6;

/** 0 is stdout, 1 is stderr, 2 is a line in no known format. */
type Stream = 0 | 1 | 2;
/** Gets one piece of a line: the container's bytes from start to end. */
type Visit = (stream: Stream, start: number, end: number, complete: boolean) => void;

/** Returns how many lines end within the bytes. */
export function countCompleteLines(log: Uint8Array): number {
  let count = 0;
  visitPieces(log, (_stream, _start, _end, complete) => {
    if (complete) count++;
  });
  return count;
}

/**
 * Returns the last `lines` lines, joined from their pieces, each with a newline, in the order in which they were
 * completed. A line that the crash left unfinished comes last, because it is the most interesting one.
 */
export function lastLines(log: Uint8Array, lines: number): Uint8Array {
  const joiner = new LineJoiner(log, countLines(log) - lines);
  visitPieces(log, (stream, start, end, complete) => joiner.add(stream, start, end, complete));
  return joiner.finish();
}

class LineJoiner {
  private readonly log: Uint8Array;
  private readonly output: Uint8Array;
  private readonly begun: [number[], number[], number[]] = [[], [], []];
  private sizeBytes = 0;
  private skip: number;

  /** Leaves out the first `skip` lines. */
  constructor(log: Uint8Array, skip: number) {
    this.log = log;
    this.skip = skip;
    // Each line's newline fits into the place of its head or of its own newline; the last line may have neither.
    this.output = new Uint8Array(log.length + 1);
  }

  add(stream: Stream, start: number, end: number, complete: boolean): void {
    const ranges = this.begun[stream];
    if (complete && ranges.length === 0) return this.write(start, end, true);
    ranges.push(start, end);
    if (complete) this.flush(ranges);
  }

  finish(): Uint8Array {
    for (const ranges of this.begun) if (ranges.length > 0) this.flush(ranges);
    // Copies only where that frees most of the memory.
    const isMost = this.sizeBytes * 2 > this.output.length;
    return isMost ? this.output.subarray(0, this.sizeBytes) : this.output.slice(0, this.sizeBytes);
  }

  private flush(ranges: number[]): void {
    const [last] = ranges.splice(-1);
    const [lastStart] = ranges.splice(-1);
    while (this.skip <= 0 && ranges.length > 0) {
      const [start = 0, end = 0] = ranges.splice(0, 2);
      this.write(start, end, false);
    }
    ranges.length = 0;
    this.write(lastStart ?? 0, last ?? 0, true);
  }

  private write(start: number, end: number, complete: boolean): void {
    if (this.skip > 0) {
      this.skip--;
      return;
    }
    this.output.set(this.log.subarray(start, end), this.sizeBytes);
    this.sizeBytes += end - start;
    if (complete) this.output[this.sizeBytes++] = NEWLINE;
  }
}

/** Counts complete lines and those that are still being written. */
function countLines(log: Uint8Array): number {
  let count = 0;
  const open: [number, number, number] = [0, 0, 0];
  visitPieces(log, (stream, _start, _end, complete) => {
    open[stream] = complete ? 0 : 1;
    if (complete) count++;
  });
  return count + open[0] + open[1] + open[2];
}

function visitPieces(log: Uint8Array, visit: Visit): void {
  for (let start = 0; start < log.length;) {
    const newline = log.indexOf(NEWLINE, start);
    const end = newline === -1 ? log.length : newline;
    if (end > start) visitPiece(log, start, end, visit);
    start = end + 1;
  }
}

/** Parses TIME STREAM TAGS TEXT. The first tag is P or F; others may follow after colons. */
function visitPiece(log: Uint8Array, start: number, end: number, visit: Visit): void {
  const stream = log.indexOf(SPACE, start) + 1;
  const tags = stream + STREAM_LENGTH + 1;
  const tag = log[tags];
  const text = log[tags + 1] === COLON ? log.indexOf(SPACE, tags) + 1 : tags + 2;
  const isCri =
    stream > start + T_AT &&
    text > tags &&
    text <= end &&
    log[start + T_AT] === T &&
    log[tags - 1] === SPACE &&
    log[text - 1] === SPACE &&
    (tag === P || tag === F);
  const letter = log[stream + 3];
  if (isCri && letter === O) visit(0, text, end, tag === F);
  else if (isCri && letter === E) visit(1, text, end, tag === F);
  else visit(2, start, end, true);
}
