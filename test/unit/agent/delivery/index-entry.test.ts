import { expect, test } from "bun:test";
import { writeIndexEntry } from "../../../../src/agent/delivery/index-entry.ts";
import { StoreError } from "../../../../src/store/store-error.ts";
import { recordedLog } from "../../../support/recorded-log.ts";

const SETTINGS = { STORE_INDEX: true, STORE_INDEX_PREFIX: "index/" };
const DUMP = { info: { timestamp: "1764000000" }, key: "T.zip", zipBytes: 7 };
const { signal } = new AbortController();

/** Writes an entry to a store that answers so. Returns the keys that it was asked for, and the log. */
async function write(answer: () => Promise<"made" | "exists">, settings = SETTINGS) {
  const log = recordedLog();
  const keys: string[] = [];
  const mark = (key: string) => {
    keys.push(key);
    return answer();
  };
  await writeIndexEntry(DUMP, { name: "bucket b", mark }, settings, { log, signal });
  return { keys, events: log.events.map(({ event }) => event) };
}

test("an entry is written where the owner wants one", async () => {
  const { keys, events } = await write(() => Promise.resolve("made"));
  expect(keys).toHaveLength(1);
  expect(keys[0]).toStartWith("index/v1/2025-11-24/unknown/");
  expect(events).toEqual([]);
  const off = await write(() => Promise.resolve("made"), { ...SETTINGS, STORE_INDEX: false });
  expect(off.keys).toEqual([]);
});

test("a store that refuses it costs a line of the log, and nothing else", async () => {
  const { events } = await write(() =>
    Promise.reject(new StoreError("forbidden", "may not write there")),
  );
  expect(events).toEqual(["index_not_written"]);
});

test("a moment's failure is tried again", async () => {
  let failures = 1;
  const { keys, events } = await write(() =>
    failures-- > 0 ? Promise.reject(new StoreError("server", "503")) : Promise.resolve("made"),
  );
  expect([keys.length, events]).toEqual([2, ["request_retried"]]);
});
