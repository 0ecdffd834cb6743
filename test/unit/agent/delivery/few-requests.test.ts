// How many requests a small dump costs, and what it is not delivered without.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "bun:test";
import { openDelivery, type Delivery } from "../../../../src/agent/delivery/delivery.ts";
import { temporaryFolder, writeDump } from "../../../support/dumps.ts";
import {
  startMemoryStore,
  type MemoryStore,
  type Oddities,
} from "../../../support/memory-store.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { s3Error, type Asked } from "../../../support/scripted-store.ts";
import { storeSettings } from "../../../support/store-settings.ts";

const never = new AbortController().signal;
const SMALL = 1000;

let store: MemoryStore;
let delivery: Delivery;
let folder: string;
afterEach(() => {
  delivery.close();
  store.stop();
});

function open(odd: Oddities = {}): void {
  store = startMemoryStore(odd);
  folder = temporaryFolder();
  const settings = storeSettings({
    S3_ENDPOINT: store.endpoint,
    S3_BUCKET_NAME: "cores",
    S3_ACCESS_KEY: "k",
    S3_SECRET: "s",
  });
  delivery = openDelivery(settings, recordedLog());
}

/** Takes the condition and does not hold it, as radosgw 16. */
function ignoreConditions({ method, target, headers }: Asked): Response | undefined {
  if (method === "PUT") headers.delete("if-none-match");
  return target === "" ? s3Error(400, "InvalidRequest") : undefined;
}

/** Delivers one dump and returns the methods of its requests. */
async function deliver(name: string, coreBytes = SMALL): Promise<string> {
  const path = writeDump(folder, name, { coreBytes });
  const before = store.asked.length;
  expect(await delivery.deliver(path, never)).toMatchObject({ kind: "delivered" });
  expect(existsSync(path)).toBe(false);
  return store.asked
    .slice(before)
    .map(({ method }) => method)
    .join(" ");
}

test("where the store refuses a taken key and its answers are true, the third dump is one request", async () => {
  open();
  expect(await deliver("a.zip")).toBe("HEAD PUT HEAD");
  // The last one asks whether a taken key is refused.
  expect(await deliver("b.zip")).toBe("HEAD PUT PUT");
  expect(await deliver("c.zip")).toBe("PUT");
  expect(store.objects.size).toBe(3);
});

test("a taken key is never overwritten, whatever is spared", async () => {
  open();
  for (const name of ["a.zip", "b.zip", "c.zip"]) await deliver(name);
  const [taken] = [...store.objects.values()];
  store.objects.set("/cores/d.zip", {
    bytes: new Uint8Array(9),
    etag: "0".repeat(32),
    metadata: {},
  });
  expect(await deliver("d.zip")).toBe("PUT HEAD PUT");
  expect(store.objects.get("/cores/d.zip")?.bytes).toHaveLength(9);
  expect(store.objects.get("/cores/d-1.zip")?.bytes.length).toBe(taken?.bytes.length ?? 0);
});

test("a store that ignores the condition is asked before each write", async () => {
  open({ refuse: ignoreConditions });
  expect(await deliver("a.zip")).toBe("HEAD PUT HEAD");
  expect(await deliver("b.zip")).toBe("HEAD PUT PUT HEAD");
  expect(await deliver("c.zip")).toBe("HEAD PUT");
});

test("where an answer proves nothing every dump is looked at, and has a journal meanwhile", async () => {
  const seen: boolean[] = [];
  const note = ({ method }: Asked) => {
    if (method === "PUT") seen.push(readdirSync(folder).some((name) => name.endsWith(".json")));
    return undefined;
  };
  open({
    etag: () => "0123456789abcdef0123456789abcdef-kms",
    headers: { "x-amz-server-side-encryption": "aws:kms" },
    refuse: note,
  });
  for (const name of ["a.zip", "b.zip", "c.zip"]) expect(await deliver(name)).toBe("HEAD PUT HEAD");
  expect(seen).toEqual([true, true, true]);
});

test("a store that keeps other bytes is believed by no answer", async () => {
  open({ keep: (bytes) => bytes.slice(1) });
  const path = writeDump(folder, "a.zip", { coreBytes: SMALL });
  expect(await delivery.deliver(path, never)).toMatchObject({ kind: "failed" });
  expect(existsSync(path)).toBe(true);
});

test("a failure of a dump that needs no journal writes one, so that it waits its turn", async () => {
  let isDown = false;
  open({ refuse: () => (isDown ? s3Error(403, "AccessDenied") : undefined) });
  for (const name of ["a.zip", "b.zip", "c.zip"]) await deliver(name);
  isDown = true;
  const path = writeDump(folder, "d.zip", { coreBytes: SMALL });
  expect(await delivery.deliver(path, never)).toMatchObject({ kind: "failed" });
  expect(existsSync(join(folder, ".d.zip.upload.json"))).toBe(true);
});

test("a large dump is looked at before and after", async () => {
  open();
  for (const name of ["a.zip", "b.zip", "c.zip"]) await deliver(name);
  expect(await deliver("large.zip", 2 ** 20 + 1)).toBe("HEAD PUT HEAD");
});
