// The hidden file that a dump is written to until it is whole, and its publication. Created exclusively,
// never through a link, locked while its composer lives: an unlocked one is a composer that was killed.
import { constants } from "node:fs";
import { open, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { AppError, errnoOf } from "../model/app-error.ts";
import { partialName } from "../model/core-file.ts";
import { writeFully } from "../host/full-write.ts";
import { tryLock } from "../host/libc.ts";
import { publishFile } from "../host/publication.ts";

const NEW_FILE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** The disk, a quota or a file-size limit is full: what is there can still be published. */
const NO_SPACE = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

export function isNoSpace(error: unknown): boolean {
  return NO_SPACE.has(errnoOf(error) ?? "");
}

export class PartialFile {
  private readonly file: FileHandle;
  private readonly path: string;
  private end = 0;

  private constructor(file: FileHandle, path: string) {
    this.file = file;
    this.path = path;
  }

  /** Throws AppError "core_directory" when it cannot be made. */
  static async create(directory: string, uuid: string): Promise<PartialFile> {
    const path = join(directory, partialName(uuid));
    try {
      const file = await open(path, NEW_FILE, 0o600);
      tryLock(file.fd);
      return new PartialFile(file, path);
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
    await this.file.close(); // frees the lock: delivery may begin
    return name;
  }

  /** Gives the dump up: nothing is left of it. */
  async abandon(): Promise<void> {
    await unlink(this.path);
    await this.file.close();
  }
}
