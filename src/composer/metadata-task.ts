// Asking who crashed, beside the drain: started at the core's first bytes, waited for after its end.
import type { Metadata } from "./metadata/metadata.ts";

export class MetadataTask {
  private readonly collect: () => Promise<Metadata>;
  private running: Promise<Metadata> | undefined;

  constructor(collect: () => Promise<Metadata>) {
    this.collect = collect;
  }

  /** onSkip is called when the owner's rules leave this dump out. */
  start(onSkip: () => void): void {
    this.running ??= this.collect().then((metadata) => {
      if (metadata.verdict.kind === "skip") onSkip();
      return metadata;
    });
    // Until result() is called nobody looks at a failure; it is not lost, only seen later.
    this.running.catch(() => undefined);
  }

  /** What was found; asked for now where there was no first byte to start at. */
  result(): Promise<Metadata> {
    this.start(() => undefined);
    return this.running ?? this.collect();
  }
}
