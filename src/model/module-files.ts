// Where the files that a crashed process had mapped can be had: below a folder, at their own paths, by a
// descriptor of the held process. The port for src/explain.
import type { RandomBytes } from "./random-bytes.ts";

export interface WantedModule {
  /** As the process saw it; it ends in " (deleted)" where the file had no name any more. */
  path: string;
  /** In hexadecimal; null where the core does not tell it. */
  buildId: string | null;
  /** The first mapping's addresses. */
  start: bigint;
  end: bigint;
}

export type FoundModule = { bytes: RandomBytes } | { missing: string };

export interface ModuleFiles {
  /** The candidates, the likeliest first; whether one is the file that was mapped is for the caller to see. */
  find(wanted: WantedModule): Iterable<FoundModule>;
  /** A file of its symbols alone, as distributions keep them by build-id; undefined where there is none. */
  findSymbols?(buildId: string): RandomBytes | undefined;
}

export const NO_MODULE_FILES: ModuleFiles = {
  find: () => [{ missing: "its file is not to be had" }],
};
