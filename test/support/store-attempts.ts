// What the tests of every store share: one attempt at a dump, and what it left.
import { expect } from "bun:test";
import { statSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { openDelivery, type DeliveryOutcome } from "../../src/agent/delivery/delivery.ts";
import { journalPathOf, newJournal } from "../../src/agent/delivery/journal.ts";
import type { Json } from "../../src/model/json.ts";
import { temporaryFolder, writeDump } from "./dumps.ts";
import { recordedLog, type RecordedLog } from "./recorded-log.ts";
import type { Place } from "./store-places.ts";
import { storeSettings } from "./store-settings.ts";

export const never = new AbortController().signal;
export const SMALL = 1000;
/** Three parts, where a store takes parts. */
export const LARGE = 12_000_000;
export const THEIRS = new TextEncoder().encode("someone else's");

export type StoreTest = (title: string, body: (place: Place) => Promise<void>) => void;

export interface Attempt {
  changes?: Record<string, string>;
  log?: RecordedLog;
  signal?: AbortSignal;
}

/** A new process each time: only the journal remembers. */
export function deliver(
  { variables }: Pick<Place, "variables">,
  path: string,
  { changes = {}, log = recordedLog(), signal = never }: Attempt = {},
): Promise<DeliveryOutcome> {
  const delivery = openDelivery(storeSettings({ ...variables, ...changes }), log);
  return delivery.deliver(path, signal, { ignoreBackoff: true });
}

export function makeDump(coreBytes: number): string {
  return writeDump(temporaryFolder(), "T.zip", { coreBytes });
}

export async function expectWhole(place: Place, key: string, sha256: string): Promise<void> {
  const bytes = await place.read(key);
  expect(new Bun.CryptoHasher("sha256").update(bytes).digest("hex")).toBe(sha256);
}

export function noteInJournal(path: string, changes: Record<string, Json>): void {
  const { size, mtimeMs, ino } = statSync(path);
  const journal = newJournal({ sizeBytes: size, mtimeMs, inode: ino }, basename(path));
  writeFileSync(journalPathOf(path), JSON.stringify({ ...journal, ...changes }));
}
