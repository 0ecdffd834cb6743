// Keyless deliveries from the compiled executable to Azurite with OAuth and to our Cloud Storage server, by token
// services that speak the protocols; with tokens that really end in the middle, announced or not.
import { expect } from "bun:test";
import { startAzureIdentities, type AzureIdentity } from "../../support/azure-identities.ts";
import { launchAzurite, makeContainer, type BlobServer } from "../../support/azurite.ts";
import { azuriteObstacle } from "../../support/azurite-package.ts";
import { sha256Of, temporaryFolder, writeDump } from "../../support/dumps.ts";
import { startFaultProxy } from "../../support/fault-proxy.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { startGcsServer } from "../../support/gcs-server.ts";
import { startGoogleIdentities, type GoogleIdentity } from "../../support/google-identities.ts";
import { startSweep } from "../../support/sweep-process.ts";
import { makeCertificate, type Certificate } from "../../support/tls-front.ts";

const BYTES = 12_000_000;
const LONG = { realSeconds: 3600, claimedSeconds: 3600 };
const azureObstacles = [azuriteObstacle(), missingProgram("openssl")];

interface Secured {
  certificate: Certificate;
  server: Promise<BlobServer>;
}
let secured: Secured | undefined;

/** Azurite takes tokens under TLS only. */
function startSecured(): Secured {
  if (secured === undefined) {
    const certificate = makeCertificate();
    secured = { certificate, server: launchAzurite({ tls: certificate }) };
  }
  return secured;
}

interface Delivered {
  issued: number;
}

async function deliverToAzure(
  identity: AzureIdentity,
  lifetimes: typeof LONG,
  isSlow: boolean,
): Promise<Delivered> {
  const { certificate, server } = startSecured();
  const container = await makeContainer(server);
  const proxy = await startFaultProxy(new URL(container.server.endpoint).origin);
  if (isSlow) proxy.setRates({ slow_read: 1 });
  const identities = startAzureIdentities(temporaryFolder(), lifetimes);
  const base = isSlow
    ? container.server.endpoint.replace(/^https:..[^/]+/, proxy.endpoint)
    : container.server.endpoint;
  const folder = temporaryFolder();
  const sha256 = await sha256Of(writeDump(folder, "T.zip", { coreBytes: BYTES }));
  const sweep = await startSweep(folder, {
    STORE_URL: `${base}/${container.name}`,
    STORE_CA_BUNDLE: certificate.caPath,
    STORE_PART_SIZE: "5Mi",
    STORE_CONCURRENCY: "1",
    ...identities.variables(identity),
  });
  const { code, log } = await sweep.ended;
  if (code !== 0) console.error(log);
  expect(code).toBe(0);
  expect(await container.keys()).toEqual(["T.zip"]);
  const bytes = await container.read("T.zip");
  expect(new Bun.CryptoHasher("sha256").update(bytes).digest("hex")).toBe(sha256);
  identities.stop();
  proxy.stop();
  return { issued: identities.issued() };
}

async function deliverToGoogle(
  identity: GoogleIdentity,
  lifetimes: typeof LONG,
  isSlow: boolean,
): Promise<Delivered> {
  const identities = startGoogleIdentities(temporaryFolder(), lifetimes);
  const server = startGcsServer({ permits: identities.permits() });
  const proxy = await startFaultProxy(server.endpoint);
  if (isSlow) proxy.setRates({ slow_read: 1 });
  const folder = temporaryFolder();
  const sha256 = await sha256Of(writeDump(folder, "T.zip", { coreBytes: BYTES }));
  const sweep = await startSweep(folder, {
    STORE_URL: `gs://${server.bucket}`,
    STORAGE_EMULATOR_HOST: proxy.endpoint,
    STORE_PART_SIZE: "5Mi",
    STORE_CONCURRENCY: "1",
    ...identities.variables(identity),
  });
  const { code, log } = await sweep.ended;
  if (code !== 0) console.error(log);
  expect(code).toBe(0);
  expect([...server.objects.keys()]).toEqual(["T.zip"]);
  const bytes = server.objects.get("T.zip")?.bytes ?? new Uint8Array();
  expect(new Bun.CryptoHasher("sha256").update(bytes).digest("hex")).toBe(sha256);
  identities.stop();
  proxy.stop();
  server.stop();
  return { issued: identities.issued() };
}

for (const identity of ["workload", "managed"] as const)
  gatedTest(
    `Azure: a ${identity} identity needs no secret`,
    azureObstacles,
    async () => {
      expect((await deliverToAzure(identity, LONG, false)).issued).toBe(1);
    },
    60_000,
  );

for (const identity of ["metadata", "key", "federation"] as const)
  gatedTest(
    `Google: ${identity} gives a token`,
    [],
    async () => {
      expect((await deliverToGoogle(identity, LONG, false)).issued).toBe(1);
    },
    60_000,
  );

gatedTest(
  "tokens that end in the middle of an upload are replaced, whatever their announced end",
  azureObstacles,
  async () => {
    // Side by side, as most of their time is waiting: tokens of four seconds, and uploads that take six.
    const uploads = [4, 3600].flatMap((claimedSeconds) => {
      const lifetimes = { realSeconds: 4, claimedSeconds };
      return [
        deliverToAzure("workload", lifetimes, true),
        deliverToGoogle("metadata", lifetimes, true),
      ];
    });
    for (const { issued } of await Promise.all(uploads)) expect(issued).toBeGreaterThan(1);
  },
  120_000,
);
