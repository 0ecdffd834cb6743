// A spool on the disk (src/model/spool-layout.ts): made and locked like the partial beside it, written slot by slot,
// given back to the disk as it is used up. What may wait for a disk goes through the thread pool.
import { constants } from "node:fs";
import { open, unlink, type FileHandle } from "node:fs/promises";
import type { DumpOwner } from "../model/dump-owner.ts";
import { SPOOL_SLOT_BYTES } from "../model/spool-layout.ts";
import { errnoOf } from "../model/app-error.ts";
import { writeFully } from "./full-write.ts";
import { dropFromMemory, findData, punchHole, tryLock } from "./libc.ts";
import { markOwner } from "./owner-mark.ts";

const NEW_FILE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const OLD_FILE = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** An open spool under this process's lock. */
export class SpoolFile {
  private readonly file: FileHandle;
  private readonly path: string;
  private isClosed = false;

  private constructor(file: FileHandle, path: string) {
    this.file = file;
    this.path = path;
  }

  /** Creates and locks a spool. Throws the system's error. */
  static async create(path: string): Promise<SpoolFile> {
    const file = await open(path, NEW_FILE, 0o600);
    tryLock(file.fd); // where the filesystem has no locks, no agent takes a file either
    return new SpoolFile(file, path);
  }

  /** Opens and locks a spool that a composer left; undefined where there is none, or a living process has it. */
  static async openAbandoned(path: string): Promise<SpoolFile | undefined> {
    let file: FileHandle;
    try {
      file = await open(path, OLD_FILE);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    }
    if ((await file.stat()).isFile() && tryLock(file.fd)) return new SpoolFile(file, path);
    await file.close();
    return undefined;
  }

  markOwner(owner: DumpOwner): void {
    if (!this.isClosed) markOwner(this.file.fd, owner);
  }

  /** Writes parts one after the other from the beginning of a slot on. Throws the system's error. */
  async write(slot: number, parts: readonly Uint8Array[]): Promise<void> {
    const position = slot * SPOOL_SLOT_BYTES;
    const wanted = parts.reduce((sum, part) => sum + part.length, 0);
    const { bytesWritten } = await this.file.writev([...parts], position);
    // A short write happens on a nearly full disk: the rest then gets the error.
    if (bytesWritten < wanted)
      await writeFully(
        this.file,
        Buffer.concat(parts).subarray(bytesWritten),
        position + bytesWritten,
      );
  }

  /** Reads the first bytes of a slot and returns their number, which is less at the file's end. */
  async read(slot: number, into: Uint8Array): Promise<number> {
    const position = slot * SPOOL_SLOT_BYTES;
    let filled = 0;
    while (filled < into.length) {
      const rest = into.length - filled;
      const { bytesRead } = await this.file.read(into, filled, rest, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  /** Returns the first slot that was not given back; undefined where none is left. Not every filesystem knows. */
  firstSlot(): number | undefined {
    const at = findData(this.file.fd, 0);
    return at === undefined ? undefined : Math.floor(at / SPOOL_SLOT_BYTES);
  }

  /** Gives slots back to the disk. Without holes in its filesystem the file keeps its size until it is removed. */
  free(from: number, to: number): void {
    punchHole(this.file.fd, from * SPOOL_SLOT_BYTES, (to - from) * SPOOL_SLOT_BYTES);
  }

  /** Writes everything out and waits for the disk. Throws the system's error. */
  async sync(): Promise<void> {
    await this.file.datasync();
  }

  /** Drops slots that were written out from memory. */
  drop(from: number, to: number): void {
    dropFromMemory(this.file.fd, from * SPOOL_SLOT_BYTES, (to - from) * SPOOL_SLOT_BYTES);
  }

  /** Removes the file and closes it. */
  async remove(): Promise<void> {
    await unlink(this.path).catch((error: unknown) => {
      if (errnoOf(error) !== "ENOENT") throw error;
    });
    await this.close();
  }

  /** Closes the file, once. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.file.close();
  }
}
