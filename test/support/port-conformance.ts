// What the two halves of the port answer, whatever the store.
import { expect } from "bun:test";
import { statSync } from "node:fs";
import { describeError } from "../../src/model/app-error.ts";
import type { Json } from "../../src/model/json.ts";
import { partOf } from "../../src/model/part-plan.ts";
import { openStoreReader, openStoreWriter } from "../../src/store/open-store.ts";
import type { Dump, StoreReader, StoreWriter } from "../../src/store/store-port.ts";
import { failureOf } from "../../src/store/store-error.ts";
import { sha256Of, temporaryFolder, writeDump } from "./dumps.ts";
import { failureOf as lineOf } from "./failure.ts";
import { recordedLog } from "./recorded-log.ts";
import {
  deliver,
  expectWhole,
  LARGE,
  makeDump,
  never,
  noteInJournal,
  SMALL,
  THEIRS,
  type StoreTest,
} from "./store-attempts.ts";
import type { Place, StoreKind } from "./store-places.ts";
import { storeSettings } from "./store-settings.ts";

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

/** What a store knows of uploads that are not finished. */
export type Knowledge = Pick<StoreKind, "knowsNoUploads" | "listsNoUploads">;

export function describeWriter(
  storeTest: StoreTest,
  { knowsNoUploads = false, listsNoUploads = false }: Knowledge,
): void {
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
      // The first of three, because some stores take them in their order only.
      const part = partOf(multipart.plan(dump.sizeBytes), 1);
      const sent = await multipart.uploadPart(upload, dump, part, never);
      expect(JSON.parse(JSON.stringify(sent.proof))).toEqual(sent.proof);
      noteInJournal(path, { deliveryId: dump.deliveryId, upload: { ...upload } });
      expect(await multipart.listUploads("T.zip", never)).toMatchObject(
        listsNoUploads ? [] : [upload],
      );
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
        const steps: (() => Promise<unknown>)[] = [() => multipart.listParts(upload, never)];
        if (!knowsNoUploads) steps.push(() => multipart.uploadPart(upload, dump, part, never));
        for (const step of steps)
          expect(failureOf(await step().catch((error: unknown) => error))).toBe("gone");
        expect(await place.keys()).toEqual([]);
      });
    },
  );
}

export function describeRefusal(storeTest: StoreTest): void {
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

export function describeReader(storeTest: StoreTest): void {
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
