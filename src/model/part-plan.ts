// Plans the parts of an S3 multipart upload. The plan depends only on the file's size and the wished part size, so
// that an upload that goes on after a restart has the same parts.
import { AppError } from "./app-error.ts";

const MIB = 2 ** 20;
/** S3: "Amazon S3 multipart upload limits". R2 also wants every part but the last to be equal. */
export const PART_MIN_BYTES = 5 * MIB;
/** S3's largest part. */
export const PART_MAX_BYTES = 5 * 2 ** 30;
/** S3's highest number of parts. */
export const PARTS_MAX = 10_000;
/**
 * The highest number of parts that every known store takes (Scaleway's limit). A part is never in memory as a whole
 * (two parts of 128 MiB at once peak at 64 MiB), so larger parts only make a retry longer.
 */
const PARTS_EVERYWHERE = 1_000;
/** The largest file that S3 takes. */
export const FILE_MAX_BYTES = PART_MAX_BYTES * PARTS_MAX;
/** Measured: faster than 8 MiB, with no more memory (docs/performance.md, Upload). */
export const PART_WISHED_BYTES = 16 * MIB;

/** How a file is cut into parts. */
export interface PartPlan {
  sizeBytes: number;
  /** Every part but the last has this size. */
  partSizeBytes: number;
  partCount: number;
}

/** Bytes [start, end) of part `number`, counted from 1 as S3 does. */
export interface Part {
  number: number;
  start: number;
  end: number;
}

/**
 * Plans equal parts of 5 MiB to 5 GiB each: at most 1,000 of them, or 10,000 for files beyond 4.8 TiB. Throws AppError
 * "store" beyond 48.8 TiB.
 */
export function planParts(sizeBytes: number, wishedBytes = PART_WISHED_BYTES): PartPlan {
  if (sizeBytes > FILE_MAX_BYTES)
    throw new AppError("store", `${sizeBytes} bytes are more than S3 takes in one object`, {
      hint: "set COMP_MAX_CORE_SIZE below 48 TiB",
    });
  const fewest = Math.ceil(sizeBytes / PARTS_EVERYWHERE / MIB) * MIB;
  const partSizeBytes = Math.min(PART_MAX_BYTES, Math.max(PART_MIN_BYTES, wishedBytes, fewest));
  return {
    sizeBytes,
    partSizeBytes,
    partCount: Math.max(1, Math.ceil(sizeBytes / partSizeBytes)),
  };
}

/** Returns the bytes of one part. `number` counts from 1. */
export function partOf({ sizeBytes, partSizeBytes, partCount }: PartPlan, number: number): Part {
  if (!Number.isInteger(number) || number < 1 || number > partCount)
    throw new RangeError(`part ${number} of ${partCount}`);
  const start = (number - 1) * partSizeBytes;
  return { number, start, end: Math.min(sizeBytes, start + partSizeBytes) };
}
