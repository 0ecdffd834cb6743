// What a store's index must do, whatever the store: deliveries write it, lists use it, and a rebuild completes it.
import { expect } from "bun:test";
import { openDelivery } from "../../src/agent/delivery/delivery.ts";
import { readIndex } from "../../src/reading/crash-index.ts";
import { rebuildIndex } from "../../src/reading/index-rebuild.ts";
import { listDumps } from "../../src/reading/list.ts";
import { openStoreReader, openStoreWriter } from "../../src/store/open-store.ts";
import type { StoreReader, StoreWriter } from "../../src/store/store-port.ts";
import { temporaryFolder, writeDump } from "./dumps.ts";
import { recordedLog } from "./recorded-log.ts";
import { never, SMALL, THEIRS, type StoreTest } from "./store-attempts.ts";
import type { Place } from "./store-places.ts";
import { storeSettings } from "./store-settings.ts";

const PREFIX = "lists/of/";
const INDEXED = { STORE_INDEX: "true", STORE_INDEX_PREFIX: PREFIX };
const BUG = "1d38ea98bff9b22d";
const ALL = { prefix: "", sinceMs: 0, namespace: "" };

/** Delivers dumps of one bug under these names. */
async function deliverAll(
  { variables }: Place,
  names: readonly string[],
  changes: Record<string, string> = {},
): Promise<void> {
  const delivery = openDelivery(storeSettings({ ...variables, ...changes }), recordedLog());
  const folder = temporaryFolder();
  for (const name of names) {
    const info = {
      timestamp: "1764000000",
      namespace: "shop",
      podname: name,
      exe: "app",
      bug: BUG,
      title: "SIGSEGV in a ← b (app)",
      core_bytes: SMALL,
      core_complete: true,
    };
    const path = writeDump(folder, name, { coreBytes: SMALL, info });
    expect((await delivery.deliver(path, never)).kind).toBe("delivered");
  }
  delivery.close();
}

async function withStore(
  { variables }: Place,
  body: (store: { reader: StoreReader; writer: StoreWriter }) => Promise<void>,
): Promise<void> {
  const settings = storeSettings(variables);
  const reader = await openStoreReader(settings);
  const writer = await openStoreWriter(settings);
  try {
    await body({ reader, writer });
  } finally {
    reader.close();
    writer.close();
  }
}

const noReading = (reader: StoreReader): StoreReader => ({
  ...reader,
  head: (key) => Promise.reject(new Error(`${key} was read`)),
});

export function describeIndex(storeTest: StoreTest): void {
  storeTest("lists are made of the index alone where deliveries wrote it", async (place) => {
    await deliverAll(place, ["a.zip", "b.zip"], INDEXED);
    await withStore(place, async ({ reader }) => {
      const { crashes, foreign } = await readIndex(reader, PREFIX);
      expect([[...crashes.keys()].sort(), foreign]).toEqual([["a.zip", "b.zip"], 0]);
      const listed = await listDumps(noReading(reader), ALL, PREFIX);
      // The index has no pids.
      const read = (await listDumps(reader, ALL)).map((dump) => ({ ...dump, real_pid: null }));
      expect(listed).toEqual(read);
      expect(listed.map(({ key }) => key)).toEqual(["a.zip", "b.zip"]);
      expect((await readIndex(reader, PREFIX, "2025-11-25")).crashes.size).toBe(0);
      expect((await readIndex(reader, PREFIX, "2025-11-24")).crashes.size).toBe(2);
    });
  });

  storeTest("a rebuild makes what is missing, once, and leaves what is foreign", async (place) => {
    await deliverAll(place, ["old.zip"]);
    await deliverAll(place, ["new.zip"], INDEXED);
    await place.put(`${PREFIX}v1/somebody/else`, THEIRS);
    await place.put("no-dump.zip", THEIRS);
    await withStore(place, async ({ reader, writer }) => {
      const rebuild = () => rebuildIndex({ reader, writer }, PREFIX, never, () => undefined);
      expect(await rebuild()).toEqual({ made: 1, present: 1, noDumps: 1, foreign: 1 });
      expect(await rebuild()).toEqual({ made: 0, present: 2, noDumps: 1, foreign: 1 });
      const { crashes } = await readIndex(reader, PREFIX);
      expect([...crashes.keys()].sort()).toEqual(["new.zip", "old.zip"]);
      expect(crashes.get("old.zip")).toMatchObject({ bug: BUG, pod: "old.zip", namespace: "shop" });
    });
  });

  storeTest("an empty object is made once, is a name, and no dump", async (place) => {
    await withStore(place, async ({ reader, writer }) => {
      expect(await writer.mark("lists/x", never)).toBe("made");
      await writer.mark("lists/x", never);
      for (const key of ["lists/x-1", "lists/y", "other/z"]) await writer.mark(key, never);
      const names = async (prefix: string, after?: string) =>
        (await Array.fromAsync(reader.names(prefix, after))).flat().sort();
      expect(await names("lists/")).toEqual(["lists/x", "lists/x-1", "lists/y"]);
      expect(await names("lists/", "lists/x-1")).toEqual(["lists/y"]);
      expect(await names("")).toEqual(await place.keys());
      expect(await Array.fromAsync(reader.list(""))).toEqual([]);
      expect(await place.read("lists/x")).toHaveLength(0);
    });
  });
}
