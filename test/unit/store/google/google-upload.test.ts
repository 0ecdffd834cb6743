import { expect, test } from "bun:test";
import { openStoreWriter } from "../../../../src/store/open-store.ts";
import { failureOf } from "../../../../src/store/store-error.ts";
import { isUploadAddress } from "../../../../src/store/google/google-upload.ts";
import { never } from "../../../support/store-attempts.ts";
import { storeSettings } from "../../../support/store-settings.ts";

const ENDPOINT = "https://storage.googleapis.com";

test.each([
  ["https://storage.googleapis.com/upload/storage/v1/b/x/o?upload_id=1", true],
  ["https://europe-west1-storage.googleapis.com/upload?upload_id=1", true],
  ["http://storage.googleapis.com/upload?upload_id=1", false],
  ["https://storage.googleapis.com.evil.example/?upload_id=1", false],
  ["https://evil.example/.googleapis.com?upload_id=1", false],
  ["", false],
] as const)("%s as an upload's address: %p", (address, isOne) => {
  expect(isUploadAddress(address, ENDPOINT)).toBe(isOne);
});

test("an address that somebody wrote into a journal is not asked", async () => {
  let asked = 0;
  const server = Bun.serve({ port: 0, fetch: () => new Response(String(asked++)) });
  const { multipart } = await openStoreWriter(storeSettings({ STORE_URL: "gs://cores" }));
  const uploadId = `5 http://127.0.0.1:${server.port}/upload?upload_id=1`;
  const end = await multipart
    ?.listParts({ key: "T.zip", uploadId }, never)
    .catch((error: unknown) => error);
  expect(failureOf(end)).toBe("gone");
  expect(asked).toBe(0);
  await server.stop(true);
});
