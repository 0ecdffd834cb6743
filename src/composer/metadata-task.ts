// Asking who crashed, beside the drain: started at the core's first bytes, waited for after its end.
// Whatever happens to it, it has a result, and soon after the deadline: metadata never costs a core.
import { describeError } from "../model/app-error.ts";
import { untilAborted, within } from "../host/timer.ts";
import type { Metadata } from "./metadata/metadata.ts";

/** Reading /proc takes a few milliseconds, unless the process made its memory a trap (userfaultfd). */
const PROCESS_READ_MAX_MS = 500;
/** The collection ends by itself at the deadline; this much later it is left alone. */
const GRACE_AFTER_DEADLINE_MS = 1000;

export interface MetadataTaskOptions {
  /** Calls onProcessRead when it needs the crashed process's /proc no longer. */
  collect: (onProcessRead: () => void) => Promise<Metadata>;
  /** What counts where the collection failed, or did not end. */
  fallback: (why: string) => Metadata;
  /** Aborted at the deadline. */
  deadline: AbortSignal;
}

export class MetadataTask {
  private readonly options: MetadataTaskOptions;
  private readonly read = Promise.withResolvers<void>();
  private running: Promise<Metadata> | undefined;

  constructor(options: MetadataTaskOptions) {
    this.options = options;
  }

  /** Starts it, once; onSkip is called when the owner's rules leave this dump out. */
  start(onSkip: () => void = () => undefined): void {
    this.running ??= this.run();
    void this.running.then(({ verdict }) => {
      if (verdict.kind === "skip") onSkip();
    });
  }

  private run(): Promise<Metadata> {
    const { collect, fallback } = this.options;
    const collected = Promise.try(collect, this.read.resolve);
    return collected.catch((error: unknown) => fallback(describeError(error)));
  }

  /** What is found within maxMs; undefined where it takes longer. */
  async resultWithin(maxMs: number): Promise<Metadata | undefined> {
    this.running ??= this.run();
    return within(this.running, maxMs, () => undefined);
  }

  /**
   * Until then the crashed process should be held, i.e. stdin stay open: a small core is drained before
   * its process is known. At once where nothing was started; half a second at most.
   */
  async processRead(): Promise<void> {
    if (this.running === undefined) return;
    const read = Promise.race([this.read.promise, this.running]);
    await within(read, PROCESS_READ_MAX_MS, () => undefined);
  }

  /** What was found; asked for now where there was no first byte to start at. Never fails. */
  async result(): Promise<Metadata> {
    const { deadline, fallback } = this.options;
    this.running ??= this.run();
    await Promise.race([this.running, untilAborted(deadline)]);
    return within(this.running, GRACE_AFTER_DEADLINE_MS, () =>
      fallback("not done at the deadline"),
    );
  }
}
