// The port through which src/explain reads the files that a crashed process had mapped. Adapters read them below a
// folder, at their own paths, or through the held process.
import type { RandomBytes } from "./random-bytes.ts";

/** A mapped file to look for. */
export interface WantedModule {
  /** The path as the process saw it; it ends in " (deleted)" where the file had no name any more. */
  path: string;
  /** The build-id in hexadecimal; null where the core does not have it. */
  buildId: string | null;
  /** The first mapping's addresses. */
  start: bigint;
  end: bigint;
}

/** A candidate's bytes, or one line that says why there are none. */
export type FoundModule = { bytes: RandomBytes } | { missing: string };

/** Finds the files. */
export interface ModuleFiles {
  /** Yields the candidates, the likeliest first. The caller checks whether one is the file that was mapped. */
  find(wanted: WantedModule): Iterable<FoundModule>;
  /** Finds a file of separate symbols, as distributions keep them by build-id; undefined where there is none. */
  findSymbols?(buildId: string): RandomBytes | undefined;
}

/** An adapter that finds nothing. */
export const NO_MODULE_FILES: ModuleFiles = {
  find: () => [{ missing: "its file is not to be had" }],
};
