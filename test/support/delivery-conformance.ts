// What becomes of a dump on its way to any store.
import { expect } from "bun:test";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { describeError } from "../../src/model/app-error.ts";
import type { Json } from "../../src/model/json.ts";
import { failureOf } from "../../src/store/store-error.ts";
import { sha256Of, temporaryFolder, writeDump } from "./dumps.ts";
import { recordedLog } from "./recorded-log.ts";
import {
  deliver,
  expectWhole,
  LARGE,
  makeDump,
  noteInJournal,
  SMALL,
  THEIRS,
  type StoreTest,
} from "./store-attempts.ts";
import type { Place } from "./store-places.ts";

export function describeDelivery(storeTest: StoreTest): void {
  for (const coreBytes of [0, SMALL, 4_000_000, 30_000_000])
    storeTest(
      `a dump with a core of ${coreBytes} bytes arrives whole and alone, and the file goes`,
      async (place) => {
        const path = makeDump(coreBytes);
        const sha256 = await sha256Of(path);
        expect(await deliver(place, path)).toMatchObject({ kind: "delivered", key: "T.zip" });
        expect(await place.keys()).toEqual(["T.zip"]);
        await expectWhole(place, "T.zip", sha256);
        expect(readdirSync(dirname(path))).toEqual([]);
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
