// Reads the core from the kernel's pipe or socket, or from a file. Closes it as soon as the composer needs no more,
// because that releases the crashed process. Knows a file's holes, so that they need not be read.
import { closeSync, fstatSync, openSync, read, readSync, type Stats } from "node:fs";
import {
  countWaiting,
  findData,
  replaceDescriptor,
  setPipeSize,
  shutConnection,
} from "../host/libc.ts";
import { errnoOf } from "../model/app-error.ts";

/** The most a pipe may hold by default (fs.pipe-max-size), in bytes. */
const PIPE_BYTES = 1 << 20;
/**
 * The first wait, in ms, for an input that does not block (the kernel's pipe always blocks). The waits grow while it
 * stays silent.
 */
const RETRY_MS = 5;
const RETRY_MAX_MS = 100;
/** How many bytes are read while the composer still starts. */
const EARLY_BYTES = 64 * 1024;

/** A core's bytes, from the first on; the drain reads them so. */
export type CoreBytes = Pick<CoreInput, "readSome" | "skipHole">;

/** One core's input. */
export class CoreInput {
  private readonly fd: number;
  private readonly readNow: (block: Uint8Array) => number;
  private closed = false;
  private ended = false;
  private turn: Promise<unknown> = Promise.resolve();
  /** The part of the first bytes that no reader has taken yet; undefined where readAhead was not called. */
  private early: Uint8Array | undefined;
  /** The offset of the next read in a file; null for a pipe or socket. */
  private position: number | null;
  private readonly endBytes: number;
  private earlyCount: Promise<number> = Promise.resolve(0);
  /** Gets all bytes before the reader does; the reader waits for it. */
  tap: ((bytes: Uint8Array) => Promise<void>) | undefined;

  private constructor(
    fd: number,
    found: Stats | undefined,
    readNow: (block: Uint8Array) => number,
  ) {
    this.fd = fd;
    this.readNow = readNow;
    this.position = found?.isFile() === true ? 0 : null;
    this.endBytes = found?.size ?? 0;
  }

  /**
   * Makes a pipe as large as it may be. `readNow` reads on this thread, waits for almost no time, and returns 0 where
   * nothing came: a read by the thread pool costs more time than the kernel needs for a block. Without it a pipe is read
   * on this thread as long as bytes wait in it.
   */
  static open(fd: number, readNow?: (block: Uint8Array) => number): CoreInput {
    setPipeSize(fd, PIPE_BYTES);
    const found = fstatOf(fd);
    const fromPipe = (block: Uint8Array) => (found?.isFIFO() === true ? readWaiting(fd, block) : 0);
    return new CoreInput(fd, found, readNow ?? fromPipe);
  }

  /**
   * Reads the first bytes while the composer still starts. Where the kernel asks first, the caller calls this after the
   * answer.
   */
  readAhead(): void {
    this.early = new Uint8Array(EARLY_BYTES);
    this.earlyCount = this.readOnce(this.early, 0);
    // The first reader gets the error.
    this.earlyCount.catch(() => 0);
  }

  /** Reads the bytes that are there into the block from `offset` on. Returns their number; 0 at the end. */
  async readSome(block: Uint8Array, offset: number): Promise<number> {
    // Does one read at a time, so that the tap gets the bytes in order.
    const reading = this.turn.then(async () => {
      const count = await (this.early === undefined
        ? this.readOnce(block, offset)
        : this.takeEarly(this.early, block.subarray(offset)));
      if (count > 0) await this.tap?.(block.subarray(offset, offset + count));
      return count;
    });
    this.turn = reading.catch(() => 0);
    return reading;
  }

  /**
   * Skips a hole of the file in whole units of `unitBytes`, at most `maxUnits`. Returns the number of bytes skipped; 0
   * where data comes next or the input is no file.
   */
  skipHole(unitBytes: number, maxUnits: number): number {
    if (this.closed || this.position === null || this.early !== undefined) return 0;
    const next = findData(this.fd, this.position) ?? this.endBytes;
    const units = Math.floor(Math.max(0, next - this.position) / unitBytes);
    const bytes = Math.max(0, Math.min(units, maxUnits)) * unitBytes;
    this.position += bytes;
    return bytes;
  }

  private async takeEarly(early: Uint8Array, block: Uint8Array): Promise<number> {
    const count = await this.earlyCount;
    const taken = Math.min(count, block.length);
    block.set(early.subarray(0, taken));
    this.early = taken === count ? undefined : early.subarray(taken);
    this.earlyCount = Promise.resolve(count - taken);
    return taken;
  }

  private readOnce(block: Uint8Array, offset: number, pauseMs = RETRY_MS): Promise<number> {
    const atOnce = this.closed ? 0 : this.readNow(block.subarray(offset));
    if (atOnce > 0) return Promise.resolve(atOnce);
    return new Promise((resolve, reject) => {
      const at = this.position;
      read(this.fd, block, offset, block.length - offset, at, (error, count) => {
        if (error === null) {
          this.ended ||= count === 0 && block.length > offset && !this.closed;
          if (at !== null) this.position = at + count;
          resolve(count);
        } else if (errnoOf(error) === "EAGAIN" && !this.closed)
          setTimeout(
            () => resolve(this.readOnce(block, offset, Math.min(2 * pauseMs, RETRY_MAX_MS))),
            pauseMs,
          );
        else if (this.closed) resolve(0);
        else reject(error);
      });
    });
  }

  /** The file that the core lies in, for reading by offset while this input is open. */
  get filePlace(): { kind: "file"; fd: number } | undefined {
    return this.position === null ? undefined : { kind: "file", fd: this.fd };
  }

  /** True once the input has ended, so that it no longer holds the crashed process. */
  get hasEnded(): boolean {
    return this.ended;
  }

  /**
   * Closes the input, which releases the crashed process: the kernel waits for this and not for the composer's exit
   * (core_pipe_limit). Puts /dev/null in its place, so that no file opened later becomes descriptor 0.
   */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    // A read that still waits would hold a socket open even after its descriptor is closed.
    shutConnection(this.fd);
    if (!replaceByNull(this.fd)) closeSync(this.fd);
  }
}

/** Reads what waits in a pipe that nobody else reads. Returns 0 where nothing does. */
function readWaiting(fd: number, block: Uint8Array): number {
  const count = Math.min(countWaiting(fd), block.length);
  return count === 0 ? 0 : readSync(fd, block, 0, count, null);
}

/** Returns undefined for an invalid descriptor; the first read throws then. */
function fstatOf(fd: number) {
  try {
    return fstatSync(fd);
  } catch {
    return undefined;
  }
}

function replaceByNull(fd: number): boolean {
  try {
    const nothing = openSync("/dev/null", "r");
    const replaced = replaceDescriptor(nothing, fd);
    closeSync(nothing);
    return replaced;
  } catch {
    return false; // without /dev/null a plain close has the same effect, with the descriptor free again
  }
}
