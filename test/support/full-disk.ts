// An archive's file on a disk of so many bytes, in memory: fault injection for every place where a disk can
// run full. As on the real one, what is written once can be written over, and space that is cut off is free.
import type { ArchiveFile } from "../../src/composer/zip-archive.ts";

export class FullDisk implements ArchiveFile {
  sizeBytes = 0;
  /** How often it was full. */
  refusals = 0;
  private readonly bytes: Buffer;
  private readonly appendMs: number;

  /** `appendMs` is how long each write at the end takes. */
  constructor(capacityBytes: number, appendMs = 0) {
    this.appendMs = appendMs;
    this.bytes = Buffer.alloc(capacityBytes);
  }

  get content(): Buffer {
    return this.bytes.subarray(0, this.sizeBytes);
  }

  async append(parts: readonly Uint8Array[]): Promise<void> {
    await Bun.sleep(this.appendMs);
    const data = Buffer.concat(parts);
    if (this.sizeBytes + data.length > this.bytes.length) throw this.full();
    this.bytes.set(data, this.sizeBytes);
    this.sizeBytes += data.length;
  }

  async writeAt(position: number, bytes: Uint8Array): Promise<void> {
    if (position + bytes.length > this.sizeBytes) throw new Error("written beyond the end");
    this.bytes.set(bytes, position);
  }

  async truncate(sizeBytes: number): Promise<void> {
    if (sizeBytes > this.sizeBytes) throw new Error("truncated to more");
    this.sizeBytes = sizeBytes;
  }

  private full(): Error {
    this.refusals++;
    return Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  }
}
