// Each refusal of the blob service and of the token services is one clear line that says what to do, as the doctor
// shows it. The answers are Azure's own, from its documentation; no account was at hand.
import { expect, test } from "bun:test";
import { describeError } from "../../../../src/model/app-error.ts";
import { openStoreWriter } from "../../../../src/store/open-store.ts";
import { startAzureIdentities } from "../../../support/azure-identities.ts";
import { temporaryFolder } from "../../../support/dumps.ts";
import { storeSettings } from "../../../support/store-settings.ts";

const never = new AbortController().signal;
const KEY = { AZURE_STORAGE_KEY: "AAAA" };
const SAS = { AZURE_STORAGE_SAS_TOKEN: "sv=1&sig=x" };
const LIFETIMES = { realSeconds: 60, claimedSeconds: 60 };

async function probeWith(
  variables: Record<string, string>,
  answer: () => Response = () => new Response(null, { status: 500 }),
): Promise<string> {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  const STORE_URL = `http://127.0.0.1:${server.port}/acc123/cores`;
  const writer = await openStoreWriter(storeSettings({ STORE_URL, ...variables }));
  const { failure } = await writer.probe(never);
  await server.stop(true);
  return failure === undefined ? "fine" : describeError(failure);
}

async function probeByToken(
  answer: () => Response,
  changes: Record<string, string> = {},
): Promise<string> {
  const identities = startAzureIdentities(temporaryFolder(), LIFETIMES);
  const line = await probeWith({ ...identities.variables("workload"), ...changes }, answer);
  identities.stop();
  return line;
}

function refusal(status: number, code: string, detail = ""): () => Response {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${detail}</Message></Error>`;
  return () => new Response(body, { status, headers: { "x-ms-error-code": code } });
}

test.each([
  [404, "ContainerNotFound", /acc123 has no container cores.*STORE_URL/],
  [403, "AuthorizationPermissionMismatch", /may not do this.*Storage Blob Data Contributor/],
  [403, "AuthorizationFailure", /not open to this network.*firewall/],
  [401, "InvalidAuthenticationInfo", /does not take the identity's token.*AZURE_TENANT_ID/],
  [403, "AccountIsDisabled", /storage account acc123 cannot be used/],
  [503, "ServerBusy", /asks to slow down/],
  [500, "InternalError", /the store failed/],
  [418, "Unheard", /refused it/],
  // What the service answers when the block is missing, as it is: the write itself is allowed.
  [400, "InvalidBlockList", /^fine$/],
] as const)("with a token, %i %s", async (status, code, line) => {
  expect(await probeByToken(refusal(status, code))).toMatch(line);
});

test.each([
  [
    KEY,
    "AuthenticationFailed",
    "The MAC signature is not the same",
    /refuses the account's key.*AZURE_STORAGE_KEY/,
  ],
  [KEY, "AuthenticationFailed", "Request date header too old", /clock is wrong.*synchronise/],
  [KEY, "KeyBasedAuthenticationNotPermitted", "", /does not allow its keys.*workload identity/],
  [
    SAS,
    "AuthenticationFailed",
    "Signature not valid in the specified time frame",
    /signature is over.*AZURE_STORAGE_SAS_TOKEN/,
  ],
  [SAS, "AuthorizationPermissionMismatch", "", /signature does not allow this.*sp=rcw/],
])("with %p, 403 %s %s", async (variables, code, detail, line) => {
  expect(await probeWith(variables, refusal(403, code, detail))).toMatch(line);
});

test.each([
  [{ AZURE_TENANT_ID: "other" }, /has no tenant other.*AADSTS90002.*AZURE_TENANT_ID/],
  [{ AZURE_CLIENT_ID: "other" }, /has no identity other.*AADSTS700016.*AZURE_CLIENT_ID/],
  [{ AZURE_CLIENT_ID: "" }, /workload identity is incomplete.*AZURE_CLIENT_ID/],
  [{ AZURE_FEDERATED_TOKEN_FILE: "/none" }, /AZURE_FEDERATED_TOKEN_FILE \/none cannot be read/],
  [
    { AZURE_AUTHORITY_HOST: "http://127.0.0.1:9/" },
    /127\.0\.0\.1:9\/ cannot be reached.*AZURE_AUTHORITY_HOST/,
  ],
])("a workload identity with %p", async (changes, line) => {
  expect(await probeByToken(refusal(500, "InternalError"), changes)).toMatch(line);
});

test("another ServiceAccount than the identity's is told apart", async () => {
  const identities = startAzureIdentities(temporaryFolder(), LIFETIMES);
  const variables = identities.variables("workload");
  await Bun.write(variables["AZURE_FEDERATED_TOKEN_FILE"] ?? "", "another token");
  expect(await probeWith(variables)).toMatch(
    /no federated credential .* fits this ServiceAccount.*system:serviceaccount/,
  );
  identities.stop();
});

test("a node without the identity, and one that is not Azure's", async () => {
  const identities = startAzureIdentities(temporaryFolder(), LIFETIMES);
  const managed = identities.variables("managed");
  expect(await probeWith({ ...managed, AZURE_CLIENT_ID: "other" })).toMatch(
    /no such managed identity.*AZURE_CLIENT_ID/,
  );
  identities.stop();
  const nowhere = { AZURE_POD_IDENTITY_AUTHORITY_HOST: "http://127.0.0.1:9/" };
  expect(await probeWith(nowhere)).toMatch(
    /metadata service.*cannot be reached.*AZURE_STORAGE_KEY/,
  );
});

test("no line shows a secret", async () => {
  const secret = "c2VjcmV0LWtleQ==";
  for (const variables of [
    { AZURE_STORAGE_KEY: secret },
    { AZURE_STORAGE_SAS_TOKEN: `sv=1&sig=${secret}` },
    { AZURE_STORAGE_CONNECTION_STRING: `AccountName=acc123;AccountKey=${secret}` },
  ])
    for (const status of [400, 403, 500])
      expect(await probeWith(variables, refusal(status, "AuthenticationFailed"))).not.toContain(
        "c2VjcmV0",
      );
});
