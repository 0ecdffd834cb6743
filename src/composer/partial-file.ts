// The partial: the hidden file that a dump is written to, and its publication. It is created exclusively and never
// through a link, and its composer holds a lock on it. A partial without a lock therefore belongs to a composer that
// was killed.
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { open, unlink, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError, errnoOf } from "../model/app-error.ts";
import { partialName, spoolName, uuidOfPartial } from "../model/core-file.ts";
import type { DumpOwner } from "../model/dump-owner.ts";
import { writeFully } from "../host/full-write.ts";
import { tryLock } from "../host/libc.ts";
import { markOwner } from "../host/owner-mark.ts";
import { SpoolFile } from "../host/spool-file.ts";
import { publishFile } from "../host/publication.ts";
import { shareFinishedFile } from "../host/shared-folder.ts";

const NEW_FILE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** The errors of a full disk, quota or file-size limit. The composer can still publish what it has written. */
const NO_SPACE = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
/** How long to wait for the lock, in ms: the agent holds it for a moment while it discards a file. */
const LOCK_WAIT_MS = 200;
const LOCK_STEP_MS = 2;

/** Returns whether an error means that the disk, a quota or a file-size limit is full. */
export function isNoSpace(error: unknown): boolean {
  return NO_SPACE.has(errnoOf(error) ?? "");
}

/** A partial under its composer's lock. */
export class PartialFile {
  private readonly file: FileHandle;
  private readonly path: string;
  private end = 0;
  /** Called on a full disk; true where it made room, so that the write is worth another try. */
  onFull: (() => boolean) | undefined;
  private closed = false;
  private owner: DumpOwner | undefined;
  private spool: SpoolFile | undefined;

  constructor(file: FileHandle, path: string) {
    this.file = file;
    this.path = path;
  }

  /** Creates and locks a partial. Throws AppError "core_directory" when it cannot be made. */
  static async create(directory: string, uuid: string): Promise<PartialFile> {
    try {
      return await createLocked(directory, uuid);
    } catch (cause) {
      throw new AppError("core_directory", `cannot write to CORE_DIR ${directory}`, { cause });
    }
  }

  /** The bytes written so far, which is the offset of the next append. */
  get sizeBytes(): number {
    return this.end;
  }

  /** Appends all parts, or none of them where it throws. */
  async append(parts: readonly Uint8Array[]): Promise<void> {
    try {
      await this.appendOnce(parts);
    } catch (error) {
      if (!isNoSpace(error) || this.onFull?.() !== true) throw error;
      await this.appendOnce(parts);
    }
  }

  private async appendOnce(parts: readonly Uint8Array[]): Promise<void> {
    const wanted = parts.reduce((sum, part) => sum + part.length, 0);
    if (wanted === 0) return;
    try {
      const { bytesWritten } = await this.file.writev([...parts], this.end);
      if (bytesWritten < wanted) await this.appendRest(parts, bytesWritten);
    } catch (error) {
      // Removes the rest of a torn write: it would stand behind a zip that ends here, where readers look for the zip's
      // end.
      await this.file.truncate(this.end);
      throw error;
    }
    this.end += wanted;
  }

  /** Writes the rest after a short write, which happens on a nearly full disk and with more than 2 GiB of parts. */
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

  /**
   * Writes the owner's mark on the file, where its filesystem allows that. The mark stays when the file is published.
   */
  markOwner(owner: DumpOwner): void {
    this.owner = owner;
    if (!this.closed) markOwner(this.file.fd, owner);
    this.spool?.markOwner(owner);
  }

  /** Creates the spool beside this file, with the same owner. The caller removes it. Throws the system's error. */
  async createSpool(): Promise<SpoolFile> {
    const name = spoolName(uuidOfPartial(basename(this.path)) ?? "");
    this.spool = await SpoolFile.create(join(dirname(this.path), name));
    if (this.owner !== undefined) this.spool.markOwner(this.owner);
    return this.spool;
  }

  /** Cuts the file to sizeBytes; the next append goes there. */
  async truncate(sizeBytes: number): Promise<void> {
    await this.file.truncate(sizeBytes);
    this.end = sizeBytes;
  }

  /**
   * Syncs the file, gives it the name `base.zip` or the first free `base-N.zip` without replacing another file, and
   * closes it. Returns the name. Throws AppError "publish".
   */
  async publish(base: string): Promise<string> {
    await shareFinishedFile(this.file, dirname(this.path));
    try {
      await this.file.sync();
    } catch (cause) {
      throw new AppError("publish", `cannot sync ${this.path}`, { cause });
    }
    const name = await publishFile(this.path, base);
    await this.close(); // frees the lock, so that delivery can begin
    return name;
  }

  /** Removes the file and closes it. */
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
 * Creates and locks a file. A composer that stops between these two steps (a frozen cgroup, a slow disk) looks like a
 * killed one: the agent locks the file, finds it empty, and removes it. So this looks again after the lock: where it
 * has no lock, or the file has no name, the agent has taken the file, and the composer makes another one.
 */
async function createLocked(directory: string, uuid: string): Promise<PartialFile> {
  const first = join(directory, partialName(uuid));
  for (let path = first; ;) {
    const file = await open(path, NEW_FILE, 0o600);
    const isLocked = await lockInTime(file);
    const isNamed = (await file.stat()).nlink > 0;
    // Where the filesystem has no locks, no agent takes a file either.
    if (isNamed && (isLocked || path !== first)) return new PartialFile(file, path);
    await file.close();
    // The agent that holds the first file will remove its name, so the next file gets another name.
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
