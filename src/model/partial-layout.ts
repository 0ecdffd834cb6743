// How the composer lays out a partial. The agent relies on it when it seals a partial that a killed composer left.
// docs/adr/0001-zip-layout.md gives the reasons.
import { HEADER_ROOM_BYTES } from "./zip-records.ts";

/** The room for dump-info at the file's start, header and data together, in bytes. The core's header follows. */
export const FIRST_ENTRY_ROOM_BYTES = HEADER_ROOM_BYTES + 16 * 1024;

/** The longest dump-info that fits there, in bytes. */
export const FIRST_ENTRY_MAX_BYTES = FIRST_ENTRY_ROOM_BYTES - HEADER_ROOM_BYTES;

/**
 * The composer deflates the core in blocks of this many bytes. Each block is independent and ends with a sync flush;
 * only the last may be shorter.
 */
export const CORE_BLOCK_BYTES = 256 * 1024;

/** Ends the deflate stream after any block: an empty last block with fixed codes. */
export const FINAL_BLOCK = new Uint8Array([0x03, 0x00]);
