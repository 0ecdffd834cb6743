// What proves that a dump arrived. Stores that keep other bytes than they were sent, and stores whose ETags prove
// nothing, told apart: the first must never be believed, the second must not get a dump twice.
import { existsSync } from "node:fs";
import { afterEach, describe, expect, test } from "bun:test";
import { openDelivery, type DeliveryOutcome } from "../../../../src/agent/delivery/delivery.ts";
import { failureOf } from "../../../../src/store/store-error.ts";
import { describeError } from "../../../../src/model/app-error.ts";
import { temporaryFolder, writeDump } from "../../../support/dumps.ts";
import {
  md5,
  startMemoryStore,
  type MemoryStore,
  type Oddities,
} from "../../../support/memory-store.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { storeSettings } from "../../../support/store-settings.ts";

const never = new AbortController().signal;
const KMS = { "x-amz-server-side-encryption": "aws:kms" };
/** No MD5 of anything that was sent, and the same for the same bytes. */
const opaque = (bytes: Uint8Array) => md5(Buffer.concat([bytes, Buffer.from("salt")]));
let running: MemoryStore | undefined;

afterEach(() => running?.stop());

function start(odd: Oddities, changes: Record<string, string> = {}) {
  running = startMemoryStore(odd);
  const settings = storeSettings({
    S3_ENDPOINT: running.endpoint,
    S3_BUCKET_NAME: "cores",
    S3_ACCESS_KEY: "AK",
    S3_SECRET: "SK",
    STORE_PART_SIZE: String(5 * 2 ** 20),
    ...changes,
  });
  const { objects } = running;
  const keys = () => [...objects.keys()].map((path) => path.slice("/cores/".length)).sort();
  /** A new process each time: only the journal remembers. */
  const deliver = (path: string) =>
    openDelivery(settings, recordedLog()).deliver(path, never, { ignoreBackoff: true });
  return { store: running, keys, deliver };
}

function messageOf(outcome: DeliveryOutcome): string {
  return outcome.kind === "failed" ? describeError(outcome.error) : outcome.kind;
}

const flipOneByte = (bytes: Uint8Array) => {
  const kept = Uint8Array.from(bytes);
  if (kept.length > 500) kept[500] = (kept[500] ?? 0) ^ 1;
  return kept;
};

describe.each([
  ["a whole dump", 1000],
  ["parts", 12_000_000],
])("%s", (_, coreBytes) => {
  const makeDump = () => writeDump(temporaryFolder(), "T.zip", { coreBytes });

  test.each(["true", "false"])(
    "a store that keeps a flipped byte, and shows the MD5 of what it keeps, is not believed (metadata: %s)",
    async (STORE_METADATA) => {
      const { keys, deliver } = start({ keep: flipOneByte }, { STORE_METADATA });
      const path = makeDump();
      for (let attempt = 0; attempt < 3; attempt++) {
        const outcome = await deliver(path);
        expect(outcome.kind === "failed" && failureOf(outcome.error)).toBe("unverified");
        expect(messageOf(outcome)).toContain("bytes");
      }
      expect(existsSync(path)).toBe(true);
      expect(keys().filter((key) => key !== "T.zip")).toEqual([]);
    },
    30_000,
  );

  test("once the store is mended the dump takes the damaged object's place", async () => {
    let broken = true;
    const odd = { keep: (bytes: Uint8Array) => (broken ? flipOneByte(bytes) : bytes) };
    const { store, keys, deliver } = start(odd);
    const path = makeDump();
    const bytes = await Bun.file(path).bytes();
    expect((await deliver(path)).kind).toBe("failed");
    broken = false;
    expect(await deliver(path)).toMatchObject({ kind: "delivered", key: "T.zip" });
    expect(keys()).toEqual(["T.zip"]);
    expect(
      Bun.deepEquals(new Uint8Array(store.objects.get("/cores/T.zip")?.bytes ?? []), bytes),
    ).toBe(true);
  }, 30_000);

  test.each(["true", "false"])(
    "a bucket under KMS, whose ETags are no MD5s, gets the dump once (metadata: %s)",
    async (STORE_METADATA) => {
      const odd = { headers: KMS, etag: opaque };
      const { keys, deliver } = start(odd, { STORE_METADATA });
      expect(messageOf(await deliver(makeDump()))).toBe("delivered");
      expect(keys()).toEqual(["T.zip"]);
    },
  );

  test("so it does where the look at what arrived fails, and another process looks again", async () => {
    // Parts: a look before, one before the completion, and the one after.
    const failing = coreBytes > 10_000 ? 3 : 2;
    let looks = 0;
    const odd: Oddities = {
      headers: KMS,
      etag: opaque,
      refuse: ({ method }) =>
        method === "HEAD" && ++looks === failing ? new Response(null, { status: 400 }) : undefined,
    };
    const { keys, deliver } = start(odd, { STORE_METADATA: "false" });
    const path = makeDump();
    expect((await deliver(path)).kind).toBe("failed");
    expect(messageOf(await deliver(path))).toBe("delivered");
    expect(keys()).toEqual(["T.zip"]);
  });

  test("without metadata, under KMS, and without an ETag in the answer, what we look at right after is ours", async () => {
    const odd = { headers: KMS, etag: opaque, answersEtag: false };
    const { keys, deliver } = start(odd, { STORE_METADATA: "false" });
    expect(messageOf(await deliver(makeDump()))).toBe("delivered");
    expect(keys()).toEqual(["T.zip"]);
  });

  test("another object that came to the key meanwhile is not taken for ours", async () => {
    const odd: Oddities = { headers: KMS, etag: opaque };
    const { store, keys, deliver } = start(odd, { STORE_METADATA: "false" });
    const path = makeDump();
    const size = Bun.file(path).size;
    store.objects.set("/cores/T.zip", {
      bytes: new Uint8Array(size),
      etag: "0".repeat(32),
      metadata: {},
    });
    expect(await deliver(path)).toMatchObject({ kind: "delivered", key: "T-1.zip" });
    expect(keys()).toEqual(["T-1.zip", "T.zip"]);
  });
});

test.each(["true", "false"])(
  "a whole's ETag that is made in another way than AWS's is no damage where the parts' were right (metadata: %s)",
  async (STORE_METADATA) => {
    const odd: Oddities = {
      etag: (bytes) => md5(bytes).toUpperCase(),
      compositeEtag: (etags) => `${md5(Buffer.from(etags.join("")))}-${etags.length}`,
    };
    const { keys, deliver } = start(odd, { STORE_METADATA });
    const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 12_000_000 });
    expect(messageOf(await deliver(path))).toBe("delivered");
    expect(keys()).toEqual(["T.zip"]);
  },
);

test.each([1000, 12_000_000])(
  "a store whose ETags look like MD5s and are none is believed once its bytes were read back (%d bytes)",
  async (coreBytes) => {
    const { store, deliver } = start({ etag: opaque });
    const folder = temporaryFolder();
    for (const name of ["A.zip", "B.zip"])
      expect(messageOf(await deliver(writeDump(folder, name, { coreBytes })))).toBe("delivered");
    expect([...store.objects.keys()]).toEqual(["/cores/A.zip", "/cores/B.zip"]);
    const parts = store.asked.filter(({ target }) => target.includes("partNumber=1&"));
    expect(parts).toHaveLength(coreBytes > 10_000 ? 2 : 0);
  },
);

test("a CRC32 of the whole, where the parts' composite is expected, is not compared", async () => {
  const odd = { headers: { "x-amz-checksum-crc32": "AAAAAA==" } };
  const { deliver } = start(odd, { S3_REQUEST_CHECKSUM: "when_supported" });
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 12_000_000 });
  expect(messageOf(await deliver(path))).toBe("delivered");
});

test("another CRC32 of a whole dump is another object's, or ours damaged", async () => {
  const odd = { headers: { "x-amz-checksum-crc32": "AAAAAA==" } };
  const { deliver } = start(odd, { S3_REQUEST_CHECKSUM: "when_supported" });
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 1000 });
  expect(messageOf(await deliver(path))).toContain("other bytes than were sent");
});

test("one part that the store keeps wrongly is sent again at once", async () => {
  let kept = 0;
  const { store, deliver } = start({
    keep: (bytes) => (++kept === 3 ? flipOneByte(bytes) : bytes),
  });
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 12_000_000 });
  expect(messageOf(await deliver(path))).toBe("delivered");
  expect(store.asked.filter(({ target }) => target.includes("partNumber="))).toHaveLength(4);
});

test("where the parts' ETags tell nothing, another MD5 of the whole and other bytes are damage", async () => {
  const odd: Oddities = {
    keep: flipOneByte,
    etag: (bytes) => (bytes.length > 2 ** 20 ? `A${opaque(bytes)}` : opaque(bytes)),
    compositeEtag: (etags) => `${md5(Buffer.from(etags.join("")))}-${etags.length}`,
  };
  const { keys, deliver } = start(odd);
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 12_000_000 });
  for (let attempt = 0; attempt < 2; attempt++)
    expect(messageOf(await deliver(path))).toContain("other bytes than were sent");
  expect(keys()).toEqual(["T.zip"]);
});

test("under KMS with the right to write and no other there is no proof: one message, and one object", async () => {
  const { store, keys, deliver } = start({
    headers: KMS,
    etag: opaque,
    refuse: ({ method }) => (method === "HEAD" ? new Response(null, { status: 403 }) : undefined),
  });
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 1000 });
  for (let attempt = 0; attempt < 3; attempt++)
    expect(messageOf(await deliver(path))).toMatch(/cannot be looked at.*s3:GetObject/);
  expect(keys()).toEqual(["T.zip"]);
  expect(store.asked.filter(({ method }) => method === "PUT")).toHaveLength(1);
});

test("with the right to write and no other, a lost answer costs one copy, not the delivery", async () => {
  let puts = 0;
  const { keys, deliver } = start({
    refuse: ({ method, target }) => {
      if (method === "HEAD") return new Response(null, { status: 403 });
      // It came to be there, and the answer was lost.
      return method === "PUT" && target.includes("T.zip") && puts++ >= 0
        ? new Response("<Error><Code>PreconditionFailed</Code></Error>", { status: 412 })
        : undefined;
    },
  });
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 1000 });
  expect(await deliver(path)).toMatchObject({ kind: "delivered", key: "T-1.zip" });
  expect(keys()).toEqual(["T-1.zip"]);
});
