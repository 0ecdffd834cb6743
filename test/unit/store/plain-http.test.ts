// No token goes over plain http to another machine.
import { expect, test } from "bun:test";
import { failureOf } from "../../support/failure.ts";
import { openStoreWriter } from "../../../src/store/open-store.ts";
import { storeSettings } from "../../support/store-settings.ts";

const WORKLOAD = {
  AZURE_FEDERATED_TOKEN_FILE: "/token",
  AZURE_CLIENT_ID: "c",
  AZURE_TENANT_ID: "t",
};

const open = (variables: Record<string, string>) => openStoreWriter(storeSettings(variables));

test.each([
  [{ STORE_URL: "http://azurite:10000/acc123/cores" }, "STORE_URL"],
  [
    {
      STORE_URL: "azblob://acc123/cores",
      ...WORKLOAD,
      AZURE_AUTHORITY_HOST: "http://login.example",
    },
    "AZURE_AUTHORITY_HOST",
  ],
  [
    { STORE_URL: "gs://cores", STORAGE_EMULATOR_HOST: "gcs:4443", GCE_METADATA_HOST: "m" },
    "STORAGE_EMULATOR_HOST",
  ],
] as const)("%p is refused", async (variables, variable) => {
  expect(await failureOf(open(variables))).toMatch(
    new RegExp(`plain http.*https:// in ${variable}`),
  );
});

test.each([
  { STORE_URL: "http://127.0.0.1:10000/acc123/cores" },
  { STORE_URL: "http://azurite:10000/acc123/cores", AZURE_STORAGE_KEY: "AAAA" },
  { STORE_URL: "gs://cores", STORAGE_EMULATOR_HOST: "gcs:4443" },
  { STORE_URL: "gs://cores" },
])("%p is taken", async (variables) => {
  expect((await open(variables)).name).toContain("cores");
});
