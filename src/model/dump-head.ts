// dump-info as it lies at the head of a dump of ours, finished or not: stored, at a fixed place
// (partial-layout.ts). For those who know the layout; delivery reads any zip.
import type { DumpInfo } from "./dump-info.ts";
import { FIRST_ENTRY_ROOM_BYTES } from "./partial-layout.ts";
import { parseLocalHeader } from "./zip-header.ts";

/** Of a file's first FIRST_ENTRY_ROOM_BYTES; undefined where they are not all there, torn, or another's. */
export function parseDumpHead(head: Buffer): Partial<DumpInfo> | undefined {
  if (head.length < FIRST_ENTRY_ROOM_BYTES) return undefined;
  const header = parseLocalHeader(head);
  if (header === undefined || !header.name.endsWith("-dump-info.json")) return undefined;
  try {
    const parsed: unknown = JSON.parse(
      head.toString("utf8", header.roomBytes, FIRST_ENTRY_ROOM_BYTES),
    );
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    return undefined; // torn in the middle of being written
  }
}
