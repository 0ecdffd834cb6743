// Collects the metadata beside the drain. Starts at the core's first bytes, and the composer awaits it after the
// core's end. It always has a result soon after the deadline, so that metadata never costs a core.
import { describeError } from "../model/app-error.ts";
import { untilAborted, within } from "../host/timer.ts";
import type { PodPolicy } from "../config/pod-policy.ts";
import type { MetadataSteps } from "./metadata/collect.ts";
import type { Metadata } from "./metadata/metadata.ts";

/**
 * How long the reading of /proc may take. It takes a few milliseconds, unless the process made its memory a trap
 * (userfaultfd).
 */
const PROCESS_READ_MAX_MS = 500;
/** The collection ends by itself at the deadline; this many ms later the composer goes on without it. */
const GRACE_AFTER_DEADLINE_MS = 1000;

/** How the task collects. */
export interface MetadataTaskOptions {
  /** Collects. Notifies us on its way (MetadataSteps). */
  collect: (steps: MetadataSteps) => Promise<Metadata>;
  /** Makes the result where the collection failed or did not end. */
  fallback: (why: string) => Metadata;
  /** The signal that aborts at the deadline. */
  deadline: AbortSignal;
}

/** The task of one dump. */
export class MetadataTask {
  private readonly options: MetadataTaskOptions;
  private readonly read = Promise.withResolvers<void>();
  private readonly decided = Promise.withResolvers<PodPolicy | undefined>();
  private running: Promise<Metadata> | undefined;

  constructor(options: MetadataTaskOptions) {
    this.options = options;
  }

  /** Starts the collection, once. Calls onSkip when the owner's rules leave this dump out. */
  start(onSkip: () => void = () => undefined): void {
    this.running ??= this.run();
    void this.running.then(({ verdict }) => {
      if (verdict.kind === "skip") onSkip();
    });
  }

  private run(): Promise<Metadata> {
    const { collect, fallback } = this.options;
    const collected = Promise.try(collect, {
      onProcessRead: this.read.resolve,
      onPolicy: this.decided.resolve,
    });
    return collected
      .catch((error: unknown) => fallback(describeError(error)))
      .finally(() => this.decided.resolve(undefined));
  }

  /** Returns the result if there is one within maxMs, else undefined. */
  async resultWithin(maxMs: number): Promise<Metadata | undefined> {
    this.running ??= this.run();
    return within(this.running, maxMs, () => undefined);
  }

  /** Returns the pod's wishes if they are known within maxMs; undefined for a crash without a pod. */
  async policyWithin(maxMs: number): Promise<PodPolicy | undefined | "late"> {
    return within(this.decided.promise, maxMs, () => "late" as const);
  }

  /**
   * Settles when the crashed process may be released; until then stdin must stay open, because a small core is drained
   * before its process has been read. Settles at once where nothing was started, and after at most half a second.
   */
  async processRead(): Promise<void> {
    if (this.running === undefined) return;
    const read = Promise.race([this.read.promise, this.running]);
    await within(read, PROCESS_READ_MAX_MS, () => undefined);
  }

  /** Returns the result. Starts the collection where no first byte has done so. Never rejects. */
  async result(): Promise<Metadata> {
    const { deadline, fallback } = this.options;
    this.running ??= this.run();
    await Promise.race([this.running, untilAborted(deadline)]);
    return within(this.running, GRACE_AFTER_DEADLINE_MS, () =>
      fallback("not done at the deadline"),
    );
  }
}
