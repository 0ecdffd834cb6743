// What an S3 store takes, as far as settings and the chart must know it too.
import type { PartLimits } from "./part-plan.ts";

const MIB = 2 ** 20;

/** "Amazon S3 multipart upload limits". R2 also wants every part but the last to be equal. */
export const S3_PART_LIMITS: PartLimits = {
  partMinBytes: 5 * MIB,
  partMaxBytes: 5 * 2 ** 30,
  partsMax: 10_000,
  // The highest number of parts that every known store takes (Scaleway's limit). A part is never in memory as a whole
  // (two parts of 128 MiB at once peak at 64 MiB), so larger parts only make a retry longer.
  partsWished: 1_000,
};

/** Measured: faster than 8 MiB, with no more memory (docs/performance.md, Upload). */
export const S3_PART_WISHED_BYTES = 16 * MIB;
