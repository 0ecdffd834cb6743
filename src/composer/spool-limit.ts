// How much of CORE_DIR one dump's spool may take: all spools together a share of what the owner's limits leave, each dump
// under way an equal part of it.
import type { Room } from "../host/disk-room.ts";
import { shareOf } from "../model/disk-share.ts";
import { MARGIN_BYTES } from "./room.ts";

/**
 * Returns the limit in bytes; 0 while the room is unknown. `share` is SPOOL_MAX: a part of what would be left without any
 * spool, or a size.
 */
export function spoolLimitOf(room: Room | undefined, share: string): number {
  if (room === undefined) return 0;
  const leftBytes = Math.max(0, room.roomBytes + room.spoolBytes - MARGIN_BYTES);
  return Math.min(shareOf(share, leftBytes), leftBytes) / Math.max(1, room.underWay);
}
