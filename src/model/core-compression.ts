// The ways in which a dump's core is compressed. Each is a stream that can be ended behind any block, so that a core can
// be cut, and sealed after its composer was killed.
import { FINAL_BLOCK } from "./partial-layout.ts";
import { DEFLATED, STORED, ZSTANDARD, type ZipMethod } from "./zip-records.ts";

/** How the core is compressed. */
export type CoreCompression = "deflate" | "zstd" | "none";

/** The values of COMPRESSION. */
export type CompressionSetting = boolean | "zstd";

/** Returns the way that COMPRESSION asks for. */
export function compressionOf(setting: CompressionSetting): CoreCompression {
  if (setting === "zstd") return "zstd";
  return setting ? "deflate" : "none";
}

const METHODS: Record<CoreCompression, ZipMethod> = {
  deflate: DEFLATED,
  zstd: ZSTANDARD,
  none: STORED,
};

/** Returns the zip's compression method for the core's entry. */
export function methodOf(compression: CoreCompression): ZipMethod {
  return METHODS[compression];
}

/** Returns the way that an entry's method stands for; deflate, the default, for one that no composer writes. */
export function compressionOfMethod(method: number | undefined): CoreCompression {
  if (method === STORED) return "none";
  return method === ZSTANDARD ? "zstd" : "deflate";
}

/** An empty raw block with the flag of the last one: it ends a zstd frame (RFC 8878, section 3.1.1.2). */
export const ZSTD_LAST_BLOCK = new Uint8Array([0x01, 0x00, 0x00]);
/** A zstd frame of no bytes: magic, a header with the size 0, the last block. */
const ZSTD_EMPTY_FRAME = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x00, 0x01, 0x00, 0x00]);
const NOTHING = new Uint8Array(0);

/** Returns what ends the core's stream behind its last block; sizeBytes is the core's length up to there. */
export function streamEnd(compression: CoreCompression, sizeBytes: number): Uint8Array {
  if (compression === "none") return NOTHING;
  if (compression === "deflate") return FINAL_BLOCK;
  return sizeBytes === 0 ? ZSTD_EMPTY_FRAME : ZSTD_LAST_BLOCK;
}
