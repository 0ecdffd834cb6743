// What the steps share that choose a small core's pages.
import type { CoreNotesCopy } from "./core-notes-copy.ts";
import type { CoreSegments } from "./core-segments.ts";
import type { MappedFiles } from "./mapped-files.ts";
import type { PageCopier } from "./page-copier.ts";

/** One process, and what copies its pages. */
export interface CopyPlan {
  copier: PageCopier;
  segments: CoreSegments;
  files: MappedFiles;
  notes: CoreNotesCopy;
  isArm: boolean;
}

/** Returns the number of the page that an address is in. */
export function pageOf({ segments }: CopyPlan, address: bigint): number {
  return Number(BigInt.asUintN(64, address) / BigInt(segments.pageBytes));
}
