// Each refusal of Cloud Storage and of the token services is one clear line that says what to do, as the doctor shows
// it. No account of Google's was at hand.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../../../../src/model/app-error.ts";
import { openStoreWriter } from "../../../../src/store/open-store.ts";
import { temporaryFolder, writeDump } from "../../../support/dumps.ts";
import { startGcsServer } from "../../../support/gcs-server.ts";
import { startGoogleIdentities } from "../../../support/google-identities.ts";
import { deliver, never } from "../../../support/store-attempts.ts";
import { storeSettings } from "../../../support/store-settings.ts";

const LIFETIMES = { realSeconds: 60, claimedSeconds: 60 };

async function probeWith(variables: Record<string, string>): Promise<string> {
  const writer = await openStoreWriter(storeSettings(variables));
  const { failure } = await writer.probe(never);
  return failure === undefined ? "fine" : describeError(failure);
}

/** A store that misses a permission, and the variables for it. */
function withPermissions(missing?: string) {
  const identities = startGoogleIdentities(temporaryFolder(), LIFETIMES);
  const server = startGcsServer({ permits: identities.permits(missing) });
  const variables: Record<string, string> = {
    STORE_URL: `gs://${server.bucket}`,
    STORAGE_EMULATOR_HOST: server.endpoint,
    ...identities.variables("metadata"),
  };
  const stop = () => {
    identities.stop();
    server.stop();
  };
  return { identities, server, variables, stop };
}

test("the role that is missing is named", async () => {
  const { variables, stop } = withPermissions("storage.objects.create");
  expect(await probeWith(variables)).toMatch(
    /may not do this.*storage\.objects\.create.*roles\/storage\.objectCreator/,
  );
  stop();
});

test("who may write and not look delivers by the answer to the write", async () => {
  const { variables, server, stop } = withPermissions("storage.objects.get");
  for (const coreBytes of [1000, 12_000_000]) {
    const name = `T${coreBytes}.zip`;
    const path = writeDump(temporaryFolder(), name, { coreBytes });
    const changes = { STORE_PART_SIZE: "5Mi" };
    expect(await deliver({ variables }, path, { changes })).toMatchObject({
      kind: "delivered",
      key: name,
    });
    expect(server.objects.has(name)).toBe(true);
  }
  stop();
});

test("credentials that the store does not take, and a bucket that is not there", async () => {
  const { variables, identities, stop } = withPermissions();
  expect(await probeWith({ ...variables, GCE_METADATA_HOST: "" })).toMatch(
    /does not take the credentials/,
  );
  expect(await probeWith({ ...variables, STORE_URL: "gs://no-such-bucket" })).toMatch(
    /there is no bucket no-such-bucket.*STORE_URL/,
  );
  const key = { ...variables, ...identities.variables("key") };
  const path = key["GOOGLE_APPLICATION_CREDENTIALS"] ?? "";
  const content = (await Bun.file(path).json()) as Record<string, string>;
  const other = startGoogleIdentities(temporaryFolder(), LIFETIMES);
  const theirs = (await Bun.file(
    other.variables("key")["GOOGLE_APPLICATION_CREDENTIALS"] ?? "",
  ).json()) as Record<string, string>;
  writeFileSync(path, JSON.stringify({ ...content, private_key: theirs["private_key"] }));
  expect(await probeWith(key)).toMatch(/gives no token \(400\).*GOOGLE_APPLICATION_CREDENTIALS/);
  other.stop();
  stop();
});

test("a federation whose token is another's", async () => {
  const { variables, identities, stop } = withPermissions();
  const federation = { ...variables, ...identities.variables("federation") };
  expect(await probeWith(federation)).toBe("fine");
  const path = federation["GOOGLE_APPLICATION_CREDENTIALS"] ?? "";
  writeFileSync(join(path, "../token"), "another");
  expect(await probeWith(federation)).toMatch(/gives no token \(400\).*pool and the provider/);
  stop();
});

test("off Google Cloud the line says what to set", async () => {
  const nowhere = { STORE_URL: "gs://cores", GCE_METADATA_HOST: "127.0.0.1:9" };
  expect(await probeWith(nowhere)).toMatch(
    /metadata server.*cannot be reached.*GOOGLE_APPLICATION_CREDENTIALS/,
  );
});
