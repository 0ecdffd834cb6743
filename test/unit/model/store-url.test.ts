import { expect, test } from "bun:test";
import { parseStoreUrl, STORE_URL_PATTERN } from "../../../src/model/store-url.ts";

test.each([
  ["file:///mnt/share", { kind: "directory" }],
  ["s3://cores", { kind: "s3", bucket: "cores", prefix: "" }],
  ["s3://cores/", { kind: "s3", bucket: "cores", prefix: "" }],
  ["s3://cores/team-a/prod", { kind: "s3", bucket: "cores", prefix: "team-a/prod/" }],
  [
    "azblob://acc123/cores/prod",
    { kind: "azure", account: "acc123", endpoint: undefined, container: "cores", prefix: "prod/" },
  ],
  [
    "https://acc123.blob.core.windows.net/cores",
    {
      kind: "azure",
      account: "acc123",
      endpoint: "https://acc123.blob.core.windows.net",
      container: "cores",
      prefix: "",
    },
  ],
  [
    "http://127.0.0.1:10000/devstoreaccount1/cores/a/",
    {
      kind: "azure",
      account: "devstoreaccount1",
      endpoint: "http://127.0.0.1:10000/devstoreaccount1",
      container: "cores",
      prefix: "a/",
    },
  ],
  ["gs://my.cores_1/a", { kind: "google", bucket: "my.cores_1", prefix: "a/" }],
  ["s3://tenant:cores/x/", { kind: "s3", bucket: "tenant:cores", prefix: "x/" }],
] as const)("%s names a store", (text, address) => {
  expect(parseStoreUrl(text)).toEqual(address);
  expect(text).toMatch(new RegExp(STORE_URL_PATTERN));
});

test.each([
  "file:///",
  "file://mnt/share",
  "/mnt/share",
  "s3://",
  "s3:///prefix",
  "s3://cores//a",
  "s3://cores/../other",
  "s3://cores/./a",
  "s3://cores/a?region=eu",
  "s3://AK:SECRET@cores",
  "s3://cores/a b",
  `s3://cores/${"a".repeat(201)}`,
  "azblob://acc123",
  "gs://Cores",
  "gs://co",
  "azblob://acc123/Cores",
  "azblob://ACC/cores",
  "http://acc123.blob.core.windows.net/cores",
  "https://store.example/cores",
  "https://acc123.blob.core.windows.net/cores?sv=1&sig=hush",
  "ftp://cores",
  "cores",
])("%s names none", (text) => {
  expect(parseStoreUrl(text)).toBeUndefined();
});
