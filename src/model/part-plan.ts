// How a file is cut into the parts of an S3 multipart upload. The plan depends on the size (and the
// wished part size) alone, so an upload that is resumed after a restart cuts the same parts again.
import { AppError } from "./app-error.ts";

const MIB = 2 ** 20;
/** S3: "Amazon S3 multipart upload limits". R2 also wants every part but the last to be equal. */
export const PART_MIN_BYTES = 5 * MIB;
export const PART_MAX_BYTES = 5 * 2 ** 30;
export const PARTS_MAX = 10_000;
/**
 * All that some stores take (Scaleway). A part is never in memory (two of 128 MiB at once: 64 MiB at the peak), so
 * larger ones cost nothing but a longer retry.
 */
const PARTS_EVERYWHERE = 1_000;
export const FILE_MAX_BYTES = PART_MAX_BYTES * PARTS_MAX;
/** In our measurements faster than 8 MiB and no larger in memory (docs/performance.md, Upload). */
export const PART_WISHED_BYTES = 16 * MIB;

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
 * Equal parts, each 5 MiB to 5 GiB: at most 1,000 of them, beyond 4.8 TiB 10,000. Throws AppError "store" beyond
 * 48.8 TiB.
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

export function partOf({ sizeBytes, partSizeBytes, partCount }: PartPlan, number: number): Part {
  if (!Number.isInteger(number) || number < 1 || number > partCount)
    throw new RangeError(`part ${number} of ${partCount}`);
  const start = (number - 1) * partSizeBytes;
  return { number, start, end: Math.min(sizeBytes, start + partSizeBytes) };
}
