// Reads a file forwards with a look ahead, in large reads and constant memory.
import type { FileHandle } from "node:fs/promises";

const WINDOW_BYTES = 2 << 20;

/** A window that moves over a file. */
export class FileWindow {
  private readonly file: FileHandle;
  private readonly buffer = Buffer.alloc(WINDOW_BYTES);
  private start = 0;
  private end = 0;
  private position: number;
  private fileEnded = false;

  constructor(file: FileHandle, offset: number) {
    this.file = file;
    this.position = offset;
  }

  /** The offset of the next byte in the file. */
  get offset(): number {
    return this.position;
  }

  /** Returns the next bytes, at most maxBytes, and fewer only at the file's end. They are valid until the next peek. */
  async peek(maxBytes: number): Promise<{ bytes: Buffer; reachesEnd: boolean }> {
    if (this.end - this.start < maxBytes && !this.fileEnded) await this.fill();
    const end = Math.min(this.end, this.start + maxBytes);
    return {
      bytes: this.buffer.subarray(this.start, end),
      reachesEnd: this.fileEnded && end === this.end,
    };
  }

  advance(count: number): void {
    this.start += count;
    this.position += count;
  }

  private async fill(): Promise<void> {
    this.buffer.copyWithin(0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
    while (this.end < WINDOW_BYTES) {
      const { bytesRead } = await this.file.read(
        this.buffer,
        this.end,
        WINDOW_BYTES - this.end,
        this.position + this.end,
      );
      if (bytesRead === 0) {
        this.fileEnded = true;
        return;
      }
      this.end += bytesRead;
    }
  }
}
