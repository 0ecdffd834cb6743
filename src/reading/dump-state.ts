// What the head of a zip tells of a dump, and what is wrong with the file itself, without reading more of it.
import { DUMP_HEAD_BYTES, parseDumpHead } from "../model/dump-head.ts";
import type { KnownInfo } from "../model/dump-info.ts";
import type { StoredDump, StoreReader } from "../store/store-port.ts";

/**
 * How a dump is: `whole` or `cut` core, `unknown` for input that was no ELF core; `torn` where the end of the zip is
 * missing, `foreign` for a zip of another program, `empty`, or `unreadable`.
 */
export type DumpState = "whole" | "cut" | "unknown" | "torn" | "foreign" | "empty" | "unreadable";

/** What is known of a dump; nothing of one that is foreign, empty or unreadable. */
export interface DumpFacts {
  info: KnownInfo;
  state: DumpState;
}

/** How many first bytes are read. */
const HEAD_BYTES = Math.min(17 * 1024, DUMP_HEAD_BYTES);
/** The end record of a zip without a comment, as this program writes it (APPNOTE 4.3.16). */
const END_RECORD_BYTES = 22;
const END_RECORD_SIGNATURE = "PK\x05\x06";

/** Reads a dump's head and, in a folder, its last bytes. Throws StoreError where the store does not answer. */
export async function readDumpFacts(store: StoreReader, dump: StoredDump): Promise<DumpFacts> {
  if (dump.sizeBytes === 0) return { info: {}, state: "empty" };
  const head = await store.head(dump.key, HEAD_BYTES);
  if (head.length === 0) return { info: {}, state: "unreadable" };
  const info = parseDumpHead(head);
  if (info === undefined) return { info: {}, state: "foreign" };
  const tail = await store.tail?.(dump.key, END_RECORD_BYTES);
  const isTorn = tail !== undefined && !tail.toString("latin1").startsWith(END_RECORD_SIGNATURE);
  return { info, state: isTorn ? "torn" : stateOf(info) };
}

/** Returns what dump-info says of the core. */
export function stateOf({ core_complete: isComplete }: KnownInfo): DumpState {
  if (isComplete === true) return "whole";
  return isComplete === false ? "cut" : "unknown";
}
