// AKS and GKE as far as the pod notices: the store, the token service, and what the cloud's own admission adds to the
// pod. Nothing of it is Azure's or Google's: it is Azurite under TLS, our Cloud Storage server, and services that speak
// their protocols.
import { startAzureIdentities, CLIENT, TENANT } from "../../support/azure-identities.ts";
import { launchAzurite, makeContainer } from "../../support/azurite.ts";
import { azuriteObstacle } from "../../support/azurite-package.ts";
import { temporaryFolder } from "../../support/dumps.ts";
import { missingProgram } from "../../support/gate.ts";
import { startGcsServer } from "../../support/gcs-server.ts";
import { startGoogleIdentities } from "../../support/google-identities.ts";
import { objectOf, type Manifest, type PodSpec } from "../../support/helm.ts";
import { makeCertificate } from "../../support/tls-front.ts";
import { dirname } from "node:path";
import type { Scene } from "./life.ts";
import type { Stage } from "./stage.ts";

const LONG = { realSeconds: 3600, claimedSeconds: 3600 };
const NO_S3 = {
  "daemonset.s3Endpoint": "",
  "daemonset.s3BucketName": "",
  "daemonset.s3AccessKey": "",
  "daemonset.s3Secret": "",
};
const TOKENS = "/var/run/secrets/azure/tokens";
const USE = "azure.workload.identity/use";
const CLIENT_ID = "azure.workload.identity/client-id";

interface OpenCloud {
  /** Values of the chart. */
  values: Record<string, unknown>;
  bucket: Scene["bucket"];
  admit: (pod: PodSpec, manifests: readonly Manifest[]) => PodSpec;
  stop: () => void;
}

export interface Cloud {
  name: string;
  file: string;
  obstacles: readonly (string | undefined)[];
  open: () => Promise<OpenCloud>;
}

export const CLOUDS: readonly Cloud[] = [
  {
    name: "aks",
    file: "values.aks.blob.yaml",
    obstacles: [azuriteObstacle(), missingProgram("openssl")],
    open: openAks,
  },
  { name: "gke", file: "values.gke.gcs.yaml", obstacles: [], open: openGke },
];

export async function withCloud(
  { file, open }: Cloud,
  withScene: Stage["withScene"],
  run: (scene: Scene) => Promise<void>,
): Promise<void> {
  const { values, bucket, admit, stop } = await open();
  try {
    await withScene([file], { ...NO_S3, ...values }, (scene) =>
      run({ ...scene, bucket, admit: (pod) => admit(pod, scene.manifests) }),
    );
  } finally {
    stop();
  }
}

async function openAks(): Promise<OpenCloud> {
  const certificate = makeCertificate();
  const container = await makeContainer(launchAzurite({ tls: certificate }));
  const folder = temporaryFolder();
  const identities = startAzureIdentities(folder, LONG);
  const authority = `http://127.0.0.1:${identities.port}/`;
  const ca = dirname(certificate.caPath);
  return {
    values: {
      "store.url": `${container.server.endpoint}/${container.name}/prod`,
      "serviceAccount.annotations": { [CLIENT_ID]: CLIENT },
      "daemonset.s3CaBundle": "/etc/store-ca/ca.pem",
      "daemonset.extraVolumes": [{ name: "ca", hostPath: { path: ca, type: "Directory" } }],
      "daemonset.extraVolumeMounts": [{ name: "ca", mountPath: "/etc/store-ca", readOnly: true }],
    },
    bucket: container,
    admit: (pod, manifests) => admitToAks(pod, manifests, { folder, authority }),
    stop: () => identities.stop(),
  };
}

/** The mutating webhook of azure-workload-identity: for pods with its label, by the ServiceAccount's annotations. */
function admitToAks(
  pod: PodSpec,
  manifests: readonly Manifest[],
  { folder, authority }: { folder: string; authority: string },
): PodSpec {
  const { spec } = objectOf(manifests, "DaemonSet") as unknown as {
    spec: { template: { metadata: { labels: Record<string, string> } } };
  };
  if (spec.template.metadata.labels[USE] !== "true") return pod;
  const { annotations } = objectOf(manifests, "ServiceAccount").metadata as unknown as {
    annotations: Record<string, string>;
  };
  const env = [
    { name: "AZURE_CLIENT_ID", value: annotations[CLIENT_ID] ?? "" },
    { name: "AZURE_TENANT_ID", value: TENANT },
    { name: "AZURE_FEDERATED_TOKEN_FILE", value: `${TOKENS}/azure-identity-token` },
    { name: "AZURE_AUTHORITY_HOST", value: authority },
  ];
  const name = "azure-identity-token";
  const mount = { name, mountPath: TOKENS, readOnly: true };
  return {
    ...pod,
    volumes: [...pod.volumes, { name, hostPath: { path: folder, type: "Directory" } }],
    containers: pod.containers.map((container) => ({
      ...container,
      env: [...(container.env ?? []), ...env],
      volumeMounts: [...(container.volumeMounts ?? []), mount],
    })),
  };
}

async function openGke(): Promise<OpenCloud> {
  const identities = startGoogleIdentities(temporaryFolder(), LONG);
  const server = startGcsServer({ permits: identities.permits() });
  return {
    values: {
      "store.url": `gs://${server.bucket}/prod`,
      // metadata.google.internal and storage.googleapis.com, here.
      "daemonset.extraEnvVars": [
        { name: "GCE_METADATA_HOST", value: `127.0.0.1:${identities.port}` },
        { name: "STORAGE_EMULATOR_HOST", value: server.endpoint },
      ],
    },
    bucket: {
      keys: async () => [...server.objects.keys()],
      metadata: async (key) => server.objects.get(key)?.metadata ?? {},
    },
    admit: (pod) => pod,
    stop() {
      identities.stop();
      server.stop();
    },
  };
}
