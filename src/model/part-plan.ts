// Plans the parts of an upload. The plan depends only on the file's size, the store's limits and the wished part size,
// so that an upload that goes on after a restart has the same parts.
import { AppError } from "./app-error.ts";

const MIB = 2 ** 20;

/** What a store takes of an upload in parts. */
export interface PartLimits {
  /** The last part may be smaller. */
  partMinBytes: number;
  partMaxBytes: number;
  partsMax: number;
  /** No more parts than these where larger ones avoid it. */
  partsWished: number;
}

/** How a file is cut into parts. */
export interface PartPlan {
  sizeBytes: number;
  /** Every part but the last has this size. */
  partSizeBytes: number;
  partCount: number;
}

/** Bytes [start, end) of part `number`, counted from 1. */
export interface Part {
  number: number;
  start: number;
  end: number;
}

/**
 * Plans equal parts of the wished size, or of as many whole MiB as the limits make necessary. Throws AppError "store"
 * for a file that no plan fits.
 */
export function planParts(sizeBytes: number, limits: PartLimits, wishedBytes: number): PartPlan {
  const { partMinBytes, partMaxBytes, partsMax, partsWished } = limits;
  const fileMaxBytes = partMaxBytes * partsMax;
  if (sizeBytes > fileMaxBytes)
    throw new AppError("store", `${sizeBytes} bytes are more than the store takes in one object`, {
      hint: `set COMP_MAX_CORE_SIZE below ${Math.floor(fileMaxBytes / 2 ** 40)} TiB`,
    });
  const fewest = Math.ceil(sizeBytes / partsWished / MIB) * MIB;
  const partSizeBytes = Math.min(partMaxBytes, Math.max(partMinBytes, wishedBytes, fewest));
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
