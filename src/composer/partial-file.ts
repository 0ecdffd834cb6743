// The hidden file that a dump is written to until it is whole, and its publication. Created exclusively,
// never through a link, locked while its composer lives: an unlocked one is a composer that was killed.
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { open, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { AppError, errnoOf } from "../model/app-error.ts";
import { partialName } from "../model/core-file.ts";
import type { DumpOwner } from "../model/dump-owner.ts";
import { writeFully } from "../host/full-write.ts";
import { tryLock } from "../host/libc.ts";
import { markOwner } from "../host/owner-mark.ts";
import { publishFile } from "../host/publication.ts";

const NEW_FILE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** The disk, a quota or a file-size limit is full: what is there can still be published. */
const NO_SPACE = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
/** The agent holds a file that it discards for a moment only. */
const LOCK_WAIT_MS = 200;
const LOCK_STEP_MS = 2;

export function isNoSpace(error: unknown): boolean {
  return NO_SPACE.has(errnoOf(error) ?? "");
}

export class PartialFile {
  private readonly file: FileHandle;
  private readonly path: string;
  private end = 0;
  private closed = false;

  constructor(file: FileHandle, path: string) {
    this.file = file;
    this.path = path;
  }

  /** Throws AppError "core_directory" when it cannot be made. */
  static async create(directory: string, uuid: string): Promise<PartialFile> {
    try {
      return await createLocked(directory, uuid);
    } catch (cause) {
      throw new AppError("core_directory", `cannot write to CORE_DIR ${directory}`, { cause });
    }
  }

  /** Bytes written so far: where the next append goes. */
  get sizeBytes(): number {
    return this.end;
  }

  /** Appends all parts, or none of them when it throws. */
  async append(parts: readonly Uint8Array[]): Promise<void> {
    const wanted = parts.reduce((sum, part) => sum + part.length, 0);
    if (wanted === 0) return;
    try {
      const { bytesWritten } = await this.file.writev([...parts], this.end);
      if (bytesWritten < wanted) await this.appendRest(parts, bytesWritten);
    } catch (error) {
      // What stays of a torn write would stand behind a zip that ends here, where readers look for its end.
      await this.file.truncate(this.end);
      throw error;
    }
    this.end += wanted;
  }

  /** A write may be short: the disk is nearly full, or the parts are more than 2 GiB. */
  private async appendRest(parts: readonly Uint8Array[], written: number): Promise<void> {
    let skip = written;
    let at = this.end + written;
    for (const part of parts) {
      const rest = part.subarray(Math.min(skip, part.length));
      skip -= part.length - rest.length;
      await this.writeAt(at, rest);
      at += rest.length;
    }
  }

  writeAt(position: number, bytes: Uint8Array): Promise<void> {
    return writeFully(this.file, bytes, position);
  }

  /** Says on the file whose it is, where its filesystem takes that; the name it gets later keeps it. */
  markOwner(owner: DumpOwner): void {
    if (!this.closed) markOwner(this.file.fd, owner);
  }

  /** Cuts the file to sizeBytes and goes on from there. */
  async truncate(sizeBytes: number): Promise<void> {
    await this.file.truncate(sizeBytes);
    this.end = sizeBytes;
  }

  /**
   * Syncs the file, gives it its name, `base.zip` or the first free `base-N.zip`, without ever replacing
   * another file, and lets go of it. Returns the name. Throws AppError "publish".
   */
  async publish(base: string): Promise<string> {
    try {
      await this.file.sync();
    } catch (cause) {
      throw new AppError("publish", `cannot sync ${this.path}`, { cause });
    }
    const name = await publishFile(this.path, base);
    await this.close(); // frees the lock: delivery may begin
    return name;
  }

  /** Gives the dump up: nothing is left of it. */
  async abandon(): Promise<void> {
    await unlink(this.path);
    await this.close();
  }

  private async close(): Promise<void> {
    this.closed = true;
    await this.file.close();
  }
}

/**
 * A composer that stands still between making its file and locking it (a frozen cgroup, a slow disk) looks like one
 * that was killed: the agent locks the file, finds it empty, and removes it. So what counts is what stands after the
 * lock: without the lock, or without a name, the file is the agent's, and another one takes its place.
 */
async function createLocked(directory: string, uuid: string): Promise<PartialFile> {
  const first = join(directory, partialName(uuid));
  for (let path = first; ;) {
    const file = await open(path, NEW_FILE, 0o600);
    const isLocked = await lockInTime(file);
    const isNamed = (await file.stat()).nlink > 0;
    // Where files cannot be locked at all, no agent takes one either.
    if (isNamed && (isLocked || path !== first)) return new PartialFile(file, path);
    await file.close();
    // Whoever still holds the first file will remove its name: that one cannot be used again.
    if (isNamed) path = join(directory, partialName(randomUUID()));
  }
}

async function lockInTime(file: FileHandle): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < LOCK_WAIT_MS; waitedMs += LOCK_STEP_MS) {
    if (tryLock(file.fd)) return true;
    await Bun.sleep(LOCK_STEP_MS);
  }
  return false;
}
