// Where dumps go, by the chart: the store's address, its former name, and what a cloud's keyless way needs of the pod.
import { describe, expect, test } from "bun:test";
import { envOf, objectOf, refusalOf, renderChart, type Manifest } from "../../support/helm.ts";

const AZURE = { "store.url": "azblob://acc123/cores/prod" };
const CLIENT_ID = "azure.workload.identity/client-id";
const USE = "azure.workload.identity/use";

function podLabels(manifests: readonly Manifest[]): Record<string, string> {
  const { spec } = objectOf(manifests, "DaemonSet") as unknown as {
    spec: { template: { metadata: { labels: Record<string, string> } } };
  };
  return spec.template.metadata.labels;
}

describe.each(["helm3", "helm4"] as const)("%s", (helm) => {
  test("store.url is STORE_URL, and so is daemonset.storeUrl, its former name", async () => {
    for (const path of ["store.url", "daemonset.storeUrl"]) {
      const manifests = await renderChart(helm, { values: { [path]: "gs://cores/prod" } });
      expect(envOf(manifests).get("STORE_URL")?.value).toBe("gs://cores/prod");
    }
    expect(envOf(await renderChart(helm)).has("STORE_URL")).toBe(false);
  });

  test("two addresses are refused, and a bucket beside another store", async () => {
    const two = { ...AZURE, "daemonset.storeUrl": "gs://cores" };
    expect(await refusalOf(helm, { values: two })).toContain("its former name, is gs://cores");
    const bucket = { ...AZURE, "daemonset.s3BucketName": "cores" };
    expect(await refusalOf(helm, { values: bucket })).toContain("daemonset.s3BucketName is cores");
    for (const url of ["s3://cores/prod", "file:///mnt/share"]) {
      const values = { "store.url": url, "daemonset.s3BucketName": "cores" };
      expect(envOf(await renderChart(helm, { values })).get("STORE_URL")?.value).toBe(url);
    }
  });

  test("an Azure identity of the ServiceAccount gives the pod the label that AKS's webhook asks for", async () => {
    expect(podLabels(await renderChart(helm, { values: AZURE }))).not.toHaveProperty([USE]);
    const values = { ...AZURE, "serviceAccount.annotations": { [CLIENT_ID]: "c" } };
    expect(podLabels(await renderChart(helm, { values }))[USE]).toBe("true");
    const own = { ...values, "daemonset.labels": { [USE]: "false" } };
    expect(podLabels(await renderChart(helm, { values: own }))[USE]).toBe("false");
  });

  test("the files for keyless stores render", async () => {
    const aks = await renderChart(helm, { files: ["values.aks.blob.yaml"] });
    expect(envOf(aks).get("STORE_URL")?.value).toContain("azblob://");
    expect(podLabels(aks)[USE]).toBe("true");
    const gke = await renderChart(helm, { files: ["values.gke.gcs.yaml"] });
    expect(envOf(gke).get("STORE_URL")?.value).toContain("gs://");
  });
});
