// What every store must do, whatever it is: the same tests against each entry of store-places.ts.
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect } from "bun:test";
import { openDelivery, type DeliveryOutcome } from "../../src/agent/delivery/delivery.ts";
import { journalPathOf, newJournal } from "../../src/agent/delivery/journal.ts";
import { describeError } from "../../src/model/app-error.ts";
import type { Json } from "../../src/model/json.ts";
import { partOf } from "../../src/model/part-plan.ts";
import { openStoreReader, openStoreWriter } from "../../src/store/open-store.ts";
import type { Dump, StoreReader, StoreWriter } from "../../src/store/store-port.ts";
import { failureOf } from "../../src/store/store-error.ts";
import { sha256Of, temporaryFolder, writeDump } from "./dumps.ts";
import { failureOf as lineOf } from "./failure.ts";
import { gatedTest } from "./gate.ts";
import { recordedLog, type RecordedLog } from "./recorded-log.ts";
import { storeSettings } from "./store-settings.ts";
import type { Place, StoreKind } from "./store-places.ts";

const never = new AbortController().signal;
const TIMEOUT_MS = 120_000;
const SMALL = 1000;
/** Three parts, where a store takes parts. */
const LARGE = 12_000_000;
const THEIRS = new TextEncoder().encode("someone else's");

export function describeStore(kind: StoreKind): void {
  const storeTest = (title: string, body: (place: Place) => Promise<void>) =>
    gatedTest(
      title,
      [kind.obstacle],
      async () => {
        const place = await kind.open();
        try {
          await body(place);
        } finally {
          await place.close();
        }
      },
      TIMEOUT_MS,
    );

  describe(kind.name, () => {
    describeDelivery(storeTest);
    describeWriter(storeTest);
    if (kind.ignoresTaken !== true) describeRefusal(storeTest);
    describeReader(storeTest);
  });
}

type StoreTest = (title: string, body: (place: Place) => Promise<void>) => void;

interface Attempt {
  changes?: Record<string, string>;
  log?: RecordedLog;
  signal?: AbortSignal;
}

/** A new process each time: only the journal remembers. */
function deliver(
  { variables }: Place,
  path: string,
  { changes = {}, log = recordedLog(), signal = never }: Attempt = {},
): Promise<DeliveryOutcome> {
  const delivery = openDelivery(storeSettings({ ...variables, ...changes }), log);
  return delivery.deliver(path, signal, { ignoreBackoff: true });
}

function makeDump(coreBytes: number): string {
  return writeDump(temporaryFolder(), "T.zip", { coreBytes });
}

async function expectWhole(place: Place, key: string, sha256: string): Promise<void> {
  const bytes = await place.read(key);
  expect(new Bun.CryptoHasher("sha256").update(bytes).digest("hex")).toBe(sha256);
}

function noteInJournal(path: string, changes: Record<string, Json>): void {
  const { size, mtimeMs, ino } = statSync(path);
  const journal = newJournal({ sizeBytes: size, mtimeMs, inode: ino }, basename(path));
  writeFileSync(journalPathOf(path), JSON.stringify({ ...journal, ...changes }));
}

function describeDelivery(storeTest: StoreTest): void {
  for (const coreBytes of [0, SMALL, 4_000_000, 30_000_000])
    storeTest(
      `a dump with a core of ${coreBytes} bytes arrives whole and alone, and the file goes`,
      async (place) => {
        const path = makeDump(coreBytes);
        const sha256 = await sha256Of(path);
        expect(await deliver(place, path)).toMatchObject({ kind: "delivered", key: "T.zip" });
        expect(await place.keys()).toEqual(["T.zip"]);
        await expectWhole(place, "T.zip", sha256);
        expect(readdirSync(join(path, ".."))).toEqual([]);
      },
    );

  for (const coreBytes of [SMALL, LARGE])
    storeTest(
      `what is there already is not sent again, and its file goes (${coreBytes} bytes)`,
      async (place) => {
        const path = makeDump(coreBytes);
        const bytes = await Bun.file(path).bytes();
        const { key, deliveryId } = await deliverButKeep(place, path, bytes);
        noteInJournal(path, { deliveryId });
        const again = await deliver(place, path);
        expect(again).toMatchObject({ kind: "delivered", key });
        expect(existsSync(path)).toBe(false);
        expect(await place.keys()).toEqual([key]);
      },
    );

  for (const coreBytes of [SMALL, LARGE])
    storeTest(
      `what somebody else put at the key stays, and ours gets a suffix (${coreBytes} bytes)`,
      async (place) => {
        await place.put("T.zip", THEIRS);
        const path = makeDump(coreBytes);
        const sha256 = await sha256Of(path);
        expect(await deliver(place, path)).toMatchObject({ kind: "delivered", key: "T-1.zip" });
        expect(await place.keys()).toEqual(["T-1.zip", "T.zip"]);
        expect(await place.read("T.zip")).toEqual(THEIRS);
        await expectWhole(place, "T-1.zip", sha256);
      },
    );

  for (const proof of [null, "synced!", 7, [], { etag: "e" }] as const)
    storeTest(
      `a proof that is not the store's own proves nothing: ${JSON.stringify(proof)}`,
      async (place) => {
        const path = makeDump(SMALL);
        const theirs = new Uint8Array(statSync(path).size);
        await place.put("T.zip", theirs);
        noteInJournal(path, { written: { key: "T.zip", proof: proof as Json } });
        expect(await deliver(place, path)).toMatchObject({ kind: "delivered", key: "T-1.zip" });
        expect(await place.read("T.zip")).toEqual(theirs);
      },
    );

  storeTest("two processes deliver a dump once", async (place) => {
    const path = makeDump(LARGE);
    const sha256 = await sha256Of(path);
    const outcomes = await Promise.all([deliver(place, path), deliver(place, path)]);
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(["busy", "delivered"]);
    expect(await place.keys()).toEqual(["T.zip"]);
    await expectWhole(place, "T.zip", sha256);
  });

  storeTest("an attempt that was stopped goes on later", async (place) => {
    const path = makeDump(LARGE);
    const sha256 = await sha256Of(path);
    const stop = new AbortController();
    const log = recordedLog();
    log.debug = (event) => event === "upload_started" && stop.abort();
    const outcome = await deliver(place, path, { log, signal: stop.signal });
    expect(outcome.kind === "failed" && failureOf(outcome.error)).toBe("aborted");
    expect(await place.keys()).toEqual([]);
    expect(await deliver(place, path)).toMatchObject({ kind: "delivered", key: "T.zip" });
    expect(await place.keys()).toEqual(["T.zip"]);
    await expectWhole(place, "T.zip", sha256);
  });

  storeTest(
    "folders of the key stay below the store's root, whatever a pod is called",
    async (place) => {
      const info = { namespace: "../../shop", timestamp: "1700000000" };
      const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 10, info });
      const changes = { STORE_KEY_TEMPLATE: "{namespace}/{date}/{filename}" };
      const key = "___.._shop/2023-11-14/T.zip";
      expect(await deliver(place, path, { changes })).toMatchObject({ kind: "delivered", key });
      expect(await place.keys()).toEqual([key]);
    },
  );

  for (const coreBytes of [SMALL, LARGE])
    storeTest(
      `a wrong store is one clear line, and keeps the file (${coreBytes} bytes)`,
      async (place) => {
        expect(place.wrong.length).toBeGreaterThan(0);
        for (const [, changes, line] of place.wrong) {
          const path = makeDump(coreBytes);
          const outcome = await deliver(place, path, { changes });
          expect(outcome.kind === "failed" ? describeError(outcome.error) : outcome.kind).toMatch(
            line,
          );
          expect(existsSync(path)).toBe(true);
        }
        expect(await place.keys()).toEqual([]);
      },
    );
}

/** As after a kill between the delivery and the removal: the object is there, and so is the file again. */
async function deliverButKeep(place: Place, path: string, bytes: Uint8Array) {
  const deliveryId = crypto.randomUUID();
  noteInJournal(path, { deliveryId });
  const outcome = await deliver(place, path);
  if (outcome.kind !== "delivered") throw new Error(JSON.stringify(outcome));
  await Bun.write(path, bytes);
  return { key: outcome.key, deliveryId };
}

async function withWriter<T>(
  { variables }: Place,
  body: (writer: StoreWriter) => Promise<T>,
  changes: Record<string, string> = {},
): Promise<T> {
  const writer = await openStoreWriter(storeSettings({ ...variables, ...changes }));
  try {
    return await body(writer);
  } finally {
    writer.close();
  }
}

function dumpOf(path: string): Dump {
  const labels = { facts: {}, tags: {} };
  return { path, sizeBytes: statSync(path).size, deliveryId: crypto.randomUUID(), labels };
}

function describeWriter(storeTest: StoreTest): void {
  storeTest("a probe leaves nothing, and says what is wrong", async (place) => {
    await withWriter(place, async (writer) => {
      expect(await writer.probe(never)).toMatchObject({ name: writer.name, failure: undefined });
    });
    for (const [, changes, line] of place.wrong) {
      const { failure } = await withWriter(place, (writer) => writer.probe(never), changes);
      expect(describeError(failure)).toMatch(line);
    }
    expect(await place.keys()).toEqual([]);
  });

  storeTest("what a writer answers is JSON, and by it the object is known again", async (place) => {
    await withWriter(place, async (writer) => {
      const dump = dumpOf(makeDump(SMALL));
      expect(await writer.examine("T.zip", dump, undefined, never)).toBe("absent");
      const { proof } = await writer.put("T.zip", dump, false, never);
      const kept: unknown = JSON.parse(JSON.stringify(proof));
      expect(kept).toEqual(proof);
      expect(await writer.examine("T.zip", dump, kept as Json, never)).toBe("same");
      const other = dumpOf(makeDump(SMALL + 1));
      expect(await writer.examine("T.zip", other, undefined, never)).toBe("different");
    });
  });

  storeTest("parts that a killed process sent are not sent again", async (place) => {
    const path = makeDump(LARGE);
    const [dump, sha256] = [dumpOf(path), await sha256Of(path)];
    const isBegun = await withWriter(place, async ({ multipart }) => {
      if (multipart === undefined) return false;
      const upload = await multipart.create("T.zip", dump, never);
      const part = partOf(multipart.plan(dump.sizeBytes), 2);
      const sent = await multipart.uploadPart(upload, dump, part, never);
      expect(JSON.parse(JSON.stringify(sent.proof))).toEqual(sent.proof);
      noteInJournal(path, { deliveryId: dump.deliveryId, upload: { ...upload } });
      expect(await multipart.listUploads("T.zip", never)).toMatchObject([upload]);
      return true;
    });
    const log = recordedLog();
    expect(await deliver(place, path, { log })).toMatchObject({ kind: "delivered", key: "T.zip" });
    const resumed = log.events.filter(({ event }) => event === "upload_resumed");
    expect(resumed.map(({ fields }) => [fields["parts"], fields["parts_there"]])).toEqual(
      isBegun ? [[3, 1]] : [],
    );
    expect(await place.keys()).toEqual(["T.zip"]);
    await expectWhole(place, "T.zip", sha256);
  });

  storeTest(
    "an upload that the store does not know is gone, and no error to abort",
    async (place) => {
      await withWriter(place, async ({ multipart }) => {
        if (multipart === undefined) return;
        const dump = dumpOf(makeDump(LARGE));
        const upload = await multipart.create("T.zip", dump, never);
        await multipart.abort(upload, never);
        await multipart.abort(upload, never);
        const part = partOf(multipart.plan(dump.sizeBytes), 1);
        for (const step of [
          () => multipart.listParts(upload, never),
          () => multipart.uploadPart(upload, dump, part, never),
        ])
          expect(failureOf(await step().catch((error: unknown) => error))).toBe("gone");
        expect(await place.keys()).toEqual([]);
      });
    },
  );
}

function describeRefusal(storeTest: StoreTest): void {
  storeTest("a write to a key that was taken since the look is refused", async (place) => {
    await withWriter(place, async (writer) => {
      await place.put("T.zip", THEIRS);
      const put = writer.put("T.zip", dumpOf(makeDump(SMALL)), false, never);
      expect(failureOf(await put.catch((error: unknown) => error))).toBe("exists");
      expect(await place.keys()).toEqual(["T.zip"]);
      expect(await place.read("T.zip")).toEqual(THEIRS);
    });
  });
}

function describeReader(storeTest: StoreTest): void {
  storeTest("what was delivered is listed and read byte for byte", async (place) => {
    const folder = temporaryFolder();
    for (const name of ["bank.zip", "shop.zip"])
      await deliver(place, writeDump(folder, name, { coreBytes: SMALL }));
    await place.put("notes.txt", THEIRS);
    const bytes = await place.read("shop.zip");
    await withReader(place, async (reader) => {
      expect(await listed(reader, "")).toEqual(["bank.zip", "shop.zip"]);
      expect(await listed(reader, "sh")).toEqual(["shop.zip"]);
      expect(await listed(reader, "none")).toEqual([]);
      const [found] = await Array.fromAsync(reader.list("shop"));
      expect(found?.sizeBytes).toBe(bytes.length);
      expect(new Uint8Array(await reader.head("shop.zip", 64))).toEqual(bytes.slice(0, 64));
      const source = await reader.open("shop.zip");
      expect(source.sizeBytes).toBe(bytes.length);
      const middle = await source.read(100, 200);
      expect(new Uint8Array(middle)).toEqual(bytes.slice(100, 200));
      const rest = await source.read(bytes.length - 10, bytes.length + 10);
      expect(new Uint8Array(rest)).toEqual(bytes.slice(-10));
      await source.close();
    });
  });

  storeTest(
    "what is not there has an empty head, and is named when it is opened",
    async (place) => {
      await withReader(place, async (reader) => {
        expect(await reader.head("none.zip", 64)).toHaveLength(0);
        expect(await lineOf(reader.open("none.zip"))).toContain("none.zip");
      });
    },
  );
}

async function withReader(
  { variables }: Place,
  body: (reader: StoreReader) => Promise<void>,
): Promise<void> {
  const reader = await openStoreReader(storeSettings(variables));
  try {
    await body(reader);
  } finally {
    reader.close();
  }
}

async function listed(reader: StoreReader, prefix: string): Promise<string[]> {
  const found = await Array.fromAsync(reader.list(prefix));
  return found.map(({ key }) => key).sort();
}
