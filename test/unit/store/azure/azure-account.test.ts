import { expect, test } from "bun:test";
import { planAzureAccount } from "../../../../src/store/azure/azure-account.ts";
import { storeSettings } from "../../../support/store-settings.ts";

const KEY = Buffer.from("key").toString("base64");

function plan(variables: Record<string, string>) {
  return planAzureAccount(storeSettings({ STORE_URL: "azblob://acc123/cores/a", ...variables }));
}

test("the address follows from STORE_URL, the connection string and the cloud", () => {
  const endpointOf = (variables: Record<string, string>) => plan(variables).endpoint;
  expect(endpointOf({})).toBe("https://acc123.blob.core.windows.net");
  expect(endpointOf({ AZURE_AUTHORITY_HOST: "https://login.chinacloudapi.cn/" })).toBe(
    "https://acc123.blob.core.chinacloudapi.cn",
  );
  expect(endpointOf({ AZURE_AUTHORITY_HOST: "https://login.microsoftonline.us" })).toBe(
    "https://acc123.blob.core.usgovcloudapi.net",
  );
  const text = `DefaultEndpointsProtocol=https;AccountName=acc123;AccountKey=${KEY};EndpointSuffix=core.example`;
  expect(plan({ AZURE_STORAGE_CONNECTION_STRING: text })).toMatchObject({
    endpoint: "https://acc123.blob.core.example",
    key: KEY,
  });
  const local = "BlobEndpoint=http://127.0.0.1:10000/acc123/;SharedAccessSignature=?sv=1&sig=x";
  expect(plan({ AZURE_STORAGE_CONNECTION_STRING: local })).toMatchObject({
    endpoint: "http://127.0.0.1:10000/acc123",
    sas: "sv=1&sig=x",
  });
  const hosted = "https://acc123.z5.blob.storage.azure.net/cores";
  expect(endpointOf({ STORE_URL: hosted })).toBe("https://acc123.z5.blob.storage.azure.net");
});

test.each([
  [{ AZURE_STORAGE_KEY: "not base64!" }, "AZURE_STORAGE_KEY"],
  [{ AZURE_STORAGE_CONNECTION_STRING: "nonsense" }, "AZURE_STORAGE_CONNECTION_STRING"],
  [{ AZURE_STORAGE_CONNECTION_STRING: "AccountName=other" }, "names the account acc123"],
])("%p is one clear error without the secret", (variables, line) => {
  let message = "";
  try {
    plan(variables);
  } catch (error) {
    message = `${String(error)} ${JSON.stringify(error)}`;
  }
  expect(message).toContain(line);
  for (const value of Object.values(variables)) expect(message).not.toContain(value);
});
