// Asking who crashed, beside the drain: started at the core's first bytes, waited for after its end.
import type { Metadata } from "./metadata/metadata.ts";

/** Reading /proc takes a few milliseconds, unless the process made its memory a trap (userfaultfd). */
const PROCESS_READ_MAX_MS = 500;

export class MetadataTask {
  private readonly collect: (onProcessRead: () => void) => Promise<Metadata>;
  private readonly read = Promise.withResolvers<void>();
  private running: Promise<Metadata> | undefined;

  /** collect calls onProcessRead when it needs the crashed process's /proc no longer. */
  constructor(collect: (onProcessRead: () => void) => Promise<Metadata>) {
    this.collect = collect;
  }

  /** onSkip is called when the owner's rules leave this dump out. */
  start(onSkip: () => void): void {
    this.running ??= this.collect(this.read.resolve).then((metadata) => {
      if (metadata.verdict.kind === "skip") onSkip();
      return metadata;
    });
    // Until result() is called nobody looks at a failure; it is not lost, only seen later.
    this.running.catch(() => undefined);
  }

  /**
   * Until then the crashed process should be held, i.e. stdin stay open: a small core is drained before
   * its process is known. At once where nothing was started; half a second at most.
   */
  async processRead(): Promise<void> {
    if (this.running === undefined) return;
    let timer: Timer | undefined;
    const expired = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PROCESS_READ_MAX_MS);
    });
    await Promise.race([this.read.promise, this.running.catch(() => undefined), expired]);
    clearTimeout(timer);
  }

  /** What was found; asked for now where there was no first byte to start at. */
  result(): Promise<Metadata> {
    this.start(() => undefined);
    return this.running ?? this.collect(this.read.resolve);
  }
}
