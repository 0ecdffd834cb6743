// The core as the kernel sends it: a pipe (or socket, or file), closed as soon as nothing more is wanted,
// because that is what lets the crashed process go. Of a file the holes are told, and need not be read.
import { closeSync, fstatSync, openSync, read } from "node:fs";
import { findData, replaceDescriptor, setPipeSize, shutConnection } from "../host/libc.ts";
import { errnoOf } from "../model/app-error.ts";

/** The most a pipe may hold by default (fs.pipe-max-size), in bytes. */
const PIPE_BYTES = 1 << 20;
/** For an input that does not block, which the kernel's pipe never is: one that stays silent is asked less and less. */
const RETRY_MS = 5;
const RETRY_MAX_MS = 100;
/** What is read while the composer still gets ready, in bytes. */
const EARLY_BYTES = 64 * 1024;

export class CoreInput {
  private readonly fd: number;
  private readonly readNow: (block: Uint8Array) => number;
  private closed = false;
  private ended = false;
  private turn: Promise<unknown> = Promise.resolve();
  /** The first bytes, where they were asked for; what of them is not taken yet. */
  private early: Uint8Array | undefined;
  /** In a file: where the next read is, and how far it goes. null for what is no file. */
  private position: number | null;
  private readonly endBytes: number;
  private earlyCount: Promise<number> = Promise.resolve(0);
  /** Sees all that is read, before its reader does: the reader waits for it. */
  tap: ((bytes: Uint8Array) => Promise<void>) | undefined;

  /**
   * `readNow` reads on this thread and waits for next to nothing; 0 where nothing came. For an input that holds
   * little (a socket's sender sleeps at some 100 KiB): a read by the thread pool stands in line behind the deflaters.
   */
  constructor(fd: number, readNow: (block: Uint8Array) => number = () => 0) {
    this.fd = fd;
    this.readNow = readNow;
    const found = fstatOf(fd);
    this.position = found?.isFile() === true ? 0 : null;
    this.endBytes = found?.size ?? 0;
    setPipeSize(fd, PIPE_BYTES);
  }

  /** Asks for the first bytes while the composer still gets ready; where the kernel asks first, after the answer. */
  readAhead(): void {
    this.early = new Uint8Array(EARLY_BYTES);
    this.earlyCount = this.readOnce(this.early, 0);
    // Whoever reads first sees the failure.
    this.earlyCount.catch(() => 0);
  }

  /** Reads into the block from `offset` on, as much as there is; 0 at the end. */
  async readSome(block: Uint8Array, offset: number): Promise<number> {
    // One read at a time, so that the tap sees the bytes in their order.
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
   * How many of the next bytes are a hole of the file, in whole units of `unitBytes`, `maxUnits` at most; they count
   * as read. 0 for what is no file, or has data next.
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

  /** Its sender has nothing more: whoever it was is not held by us any more. */
  get hasEnded(): boolean {
    return this.ended;
  }

  /**
   * Releases the crashed process: the kernel waits for this, not for our exit (core_pipe_limit).
   * /dev/null takes the place, so that no file opened later becomes descriptor 0.
   */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    // A read that still waits holds a socket open, whatever becomes of its descriptor.
    shutConnection(this.fd);
    if (!replaceByNull(this.fd)) closeSync(this.fd);
  }
}

/** undefined for a descriptor that is none: the first read will say so. */
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
    return false; // no /dev/null here: a plain close does the same, with the descriptor free again
  }
}
