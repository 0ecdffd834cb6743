// A block of the core on its way from the reader to the zip.
import type { SpooledBlock } from "../model/spool-layout.ts";

/** A block of the core, or a run of blocks of zeros. */
export interface QueuedBlock extends SpooledBlock {
  /** The memory that the block lies in, with room for a slot's head before it; undefined for zeros, and once it left. */
  memory: Uint8Array | undefined;
  /** Its slot in the spool; undefined while it has none. */
  slot: number | undefined;
  state: "waiting" | "compressing" | "compressed" | "written";
  isSpooling: boolean;
}
