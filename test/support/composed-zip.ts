// The composer's middle without its ends: a core from a descriptor through drain and sealing into an archive,
// on whatever file the test gives it.
import { AttemptLog } from "../../src/composer/attempt.ts";
import { CoreDrain, type DrainEnd, type DrainOptions } from "../../src/composer/core-drain.ts";
import { CoreInput } from "../../src/composer/core-input.ts";
import { firstFacts } from "../../src/composer/dump-facts.ts";
import { openArchive } from "../../src/composer/opening.ts";
import { sealArchive } from "../../src/composer/sealing.ts";
import type { ArchiveFile } from "../../src/composer/zip-archive.ts";
import { compressionOf, type CompressionSetting } from "../../src/model/core-compression.ts";
import type { DumpEntry } from "../../src/model/dump-entries.ts";
import type { DumpInfo } from "../../src/model/dump-info.ts";
import { sampleCrash } from "./sample-crash.ts";

export interface Composition {
  compress: CompressionSetting;
  entries: readonly DumpEntry[];
  options: Partial<DrainOptions>;
  /** Called with the drain before it runs. */
  onDrain: (drain: CoreDrain) => void;
  /** True where the bug turns out to be a known one when the core was drained. */
  isKnownBug: boolean;
}

export interface Composed {
  end: DrainEnd;
  info: DumpInfo;
}

/** The dump's name in every such zip. */
export const BASE = "T";

export async function composeZip(
  input: number,
  file: ArchiveFile,
  {
    compress = true,
    entries = [],
    options = {},
    onDrain,
    isKnownBug = false,
  }: Partial<Composition> = {},
): Promise<Composed> {
  const info = firstFacts("0f8fad5b-d9cb-469f-a165-70867728950e", sampleCrash());
  const settings = { FILENAME_TEMPLATE: BASE, COMPRESSION: compress };
  const archive = await openArchive(file, info, settings);
  const attempts = new AttemptLog();
  const drain = new CoreDrain(CoreInput.open(input), archive, {
    compression: compressionOf(compress),
    maxCoreBytes: 0,
    hasSpace: async () => true,
    onFirstBytes: () => undefined,
    onLastBytes: async () => undefined,
    onReadError: (error) => attempts.record("core", String(error)),
    ...options,
  });
  onDrain?.(drain);
  const drained = await drain.run();
  const end = isKnownBug ? "known_bug" : drained;
  const compression = compressionOf(compress);
  const sealing = { archive, drain, end, compression, base: BASE, entries, info, attempts };
  return { end, info: await sealArchive(sealing) };
}
