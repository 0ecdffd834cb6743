// Stores that are nearly S3: what they refuse is left out by itself, or the message names the setting.
import { afterEach, describe, expect, test } from "bun:test";
import { openDelivery, type DeliveryOutcome } from "../../../../src/agent/delivery/delivery.ts";
import { describeError } from "../../../../src/model/app-error.ts";
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
let running: MemoryStore | undefined;

afterEach(() => running?.stop());

function start(refuse: Oddities["refuse"], changes: Record<string, string> = {}) {
  running = startMemoryStore(refuse === undefined ? {} : { refuse });
  const settings = storeSettings({
    S3_ENDPOINT: running.endpoint,
    S3_BUCKET_NAME: "cores",
    S3_ACCESS_KEY: "AK",
    S3_SECRET: "SK",
    STORE_PART_SIZE: "5Mi",
    ...changes,
  });
  const delivery = openDelivery(settings, recordedLog());
  const folder = temporaryFolder();
  const deliver = (name: string, coreBytes: number) =>
    delivery.deliver(writeDump(folder, name, { coreBytes }), never, { ignoreBackoff: true });
  return { store: running, deliver };
}

function messageOf(outcome: DeliveryOutcome): string {
  return outcome.kind === "failed" ? describeError(outcome.error) : outcome.kind;
}

const isConditional = ({ headers }: Asked) => headers.has("if-none-match");

describe.each([
  ["a whole dump", 1000],
  ["parts", 12_000_000],
])("%s", (_, coreBytes) => {
  test("no name of metadata is more than letters: Azure behind a gateway takes nothing else", async () => {
    const odd = ({ headers }: Asked) =>
      [...headers.keys()].some((name) => /^x-amz-meta-.*[^a-z]/.test(name))
        ? s3Error(400, "InvalidMetadata")
        : undefined;
    const { store, deliver } = start(odd);
    expect(messageOf(await deliver("T.zip", coreBytes))).toBe("delivered");
    expect(Object.keys(store.objects.get("/cores/T.zip")?.metadata ?? {})).toContain(
      "x-amz-meta-corecomplete",
    );
  });

  test.each([
    [400, "InvalidArgument"],
    [400, "InvalidRequest"],
    [501, "NotImplemented"],
  ])(
    "a store that refuses the condition with %d %s is asked once, then without",
    async (status, code) => {
      const { store, deliver } = start((asked) =>
        isConditional(asked) ? s3Error(status, code) : undefined,
      );
      for (const name of ["A.zip", "B.zip"])
        expect(messageOf(await deliver(name, coreBytes))).toBe("delivered");
      expect(store.asked.filter(isConditional)).toHaveLength(1);
    },
  );
});

test("a dump that is refused with the condition and without it does not cost the others theirs", async () => {
  const { store, deliver } = start(({ method, target }) =>
    method === "PUT" && target.includes("poisoned") ? s3Error(400, "InvalidArgument") : undefined,
  );
  expect(messageOf(await deliver("poisoned.zip", 1000))).toContain("S3_CONDITIONAL_WRITES");
  expect(messageOf(await deliver("T.zip", 1000))).toBe("delivered");
  const put = store.asked.find(
    ({ method, target }) => method === "PUT" && target.includes("T.zip"),
  );
  expect(put?.headers.get("if-none-match")).toBe("*");
});

test("what came to the key meanwhile is not overwritten where a store says so by 409", async () => {
  const { store, deliver } = start((asked) => {
    const { method, target } = asked;
    if (method === "PUT" && target.includes("/T.zip")) {
      const theirs = { bytes: new Uint8Array(3), etag: "0".repeat(32), metadata: {} };
      running?.objects.set("/cores/T.zip", theirs);
      return isConditional(asked) ? s3Error(409, "BlobAlreadyExists") : undefined;
    }
    return undefined;
  });
  expect(await deliver("T.zip", 1000)).toMatchObject({ kind: "delivered", key: "T-1.zip" });
  expect(store.objects.get("/cores/T.zip")?.bytes).toHaveLength(3);
});

test.each([
  [400, "InvalidStorageClass", "S3_STORAGE_CLASS"],
  [400, "InvalidTag", "STORE_TAGS"],
  [400, "MetadataTooLarge", "STORE_METADATA"],
  [400, "KMS.NotFoundException", "S3_SSE_KMS_KEY_ID"],
  [400, "InvalidEncryptionAlgorithmError", "S3_SSE"],
  [400, "EntityTooSmall", "STORE_PART_SIZE"],
  [400, "InvalidBucketName", "S3_BUCKET_NAME"],
  [501, "NotImplemented", "S3_SSE"],
  [400, "Whatever", "STORE_METADATA"],
])("a write that is refused with %d %s names %s", async (status, code, setting) => {
  for (const coreBytes of [1000, 6_000_000]) {
    const { store, deliver } = start(({ method }) =>
      method === "HEAD" ? undefined : s3Error(status, code),
    );
    expect(messageOf(await deliver("T.zip", coreBytes))).toContain(setting);
    store.stop();
  }
});
