// How a block of the core is deflated, by the composer and by the agent that goes on where a composer was killed.
// docs/performance.md has the measurements.
import { constants, deflateRawSync } from "node:zlib";

/**
 * Level 1 of Bun's zlib (zlib-ng) gives zips larger than gzip -1's. Level 2 with the largest symbol buffer
 * and half the window is a tenth faster than with the defaults, for 0.3 % more bytes.
 */
export const DEFLATE_PARAMETERS = { level: 2, memLevel: 9, windowBits: 14 };

/** Returns the deflate form of one block, sync flush included. */
export function deflateBlock(bytes: Uint8Array): Uint8Array {
  return deflateRawSync(bytes, { ...DEFLATE_PARAMETERS, finishFlush: constants.Z_SYNC_FLUSH });
}

/** Returns the deflate form of sizeBytes zeros, sync flush included. */
export function deflateZeros(sizeBytes: number): Uint8Array {
  return deflateBlock(new Uint8Array(sizeBytes));
}
