// How a dump lies in its hidden file while it is written: the composer writes it so, and the agent relies on
// it when it seals what a killed composer left. docs/adr/0001-zip-layout.md says why.
import { HEADER_ROOM_BYTES } from "./zip-records.ts";

/** dump-info, header and data together, at the file's start; the core's header follows. In bytes. */
export const FIRST_ENTRY_ROOM_BYTES = HEADER_ROOM_BYTES + 16 * 1024;

/** The longest dump-info that fits there, in bytes. */
export const FIRST_ENTRY_MAX_BYTES = FIRST_ENTRY_ROOM_BYTES - HEADER_ROOM_BYTES;

/**
 * The core is deflated in blocks of this many bytes, each by itself and ended by a sync flush; only the last
 * one may be shorter.
 */
export const CORE_BLOCK_BYTES = 256 * 1024;

/** Ends the deflate stream after any block: an empty last block with fixed codes. */
export const FINAL_BLOCK = new Uint8Array([0x03, 0x00]);
