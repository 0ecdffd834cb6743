// Which notes the kernel wrote for a core's first thread, read from the core's bytes as they pass. Keeps the notes'
// types and skips their contents. Source: elf(5), fs/binfmt_elf.c.

const NT_PRSTATUS = 1;
const NT_AUXV = 6;
const NT_FILE = 0x46494c45;
const HEAD_BYTES = 12;

/** Reads the types of the first thread's notes from a core that arrives in pieces. */
export class CoreNoteTypes {
  private readonly little: boolean;
  private readonly end: number;
  private readonly types: number[] = [];
  private readonly head = new Uint8Array(HEAD_BYTES);
  private filled = 0;
  /** Where in the core the next note's head goes on. */
  private next: number;
  private over = false;

  /** The notes are the bytes from `offset` on, sizeBytes of them. */
  constructor({ offset, sizeBytes }: { offset: number; sizeBytes: number }, little: boolean) {
    this.next = offset;
    this.end = offset + sizeBytes;
    this.little = little;
  }

  /**
   * True where the kernel left out the list of mapped files (NT_FILE, which follows NT_AUXV), as it does with a list
   * longer than kernel.core_file_note_size_limit. False until that is certain.
   */
  get lacksFiles(): boolean {
    const auxv = this.types.indexOf(NT_AUXV);
    return this.over && auxv !== -1 && !this.types.includes(NT_FILE);
  }

  /** Takes the core's bytes from `position` on; the caller passes the pieces in order. */
  push(bytes: Uint8Array, position: number): void {
    while (!this.over && this.next < position + bytes.length) {
      const at = this.next - position;
      if (at < 0) return this.stop();
      const taken = bytes.subarray(at, at + HEAD_BYTES - this.filled);
      this.head.set(taken, this.filled);
      this.filled += taken.length;
      this.next += taken.length;
      if (this.filled === HEAD_BYTES) this.readHead();
    }
  }

  private readHead(): void {
    this.filled = 0;
    const view = new DataView(this.head.buffer);
    const word = (at: number) => view.getUint32(at, this.little);
    const type = word(8);
    // A second NT_PRSTATUS belongs to the next thread.
    if (type === NT_PRSTATUS && this.types.length > 0) return this.stop();
    this.types.push(type);
    this.next += padded(word(0)) + padded(word(4));
    if (type === NT_FILE || this.next + HEAD_BYTES > this.end) this.stop();
  }

  private stop(): void {
    this.over = true;
  }
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 4) * 4;
}
