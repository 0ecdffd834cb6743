// Values that cannot work are refused before anything is installed, by a message that names them.
import { describe, expect, test } from "bun:test";
import type { HelmName } from "../../../build/helm.ts";
import { envOf, refusalOf, renderChart } from "../../support/helm.ts";

const HELMS: HelmName[] = ["helm3", "helm4"];

describe.each(HELMS)("%s", (helm) => {
  test.each([
    "daemonset.intervall",
    "composer.timeOut",
    "image.memory",
    "storageclass",
    "daemonset.storeSecret.key",
  ])("the misspelt key %s is refused by its name", async (key) => {
    const words = await refusalOf(helm, { values: { [key]: "x" } });
    // helm 3: "Additional property x is not allowed"; helm 4: "additional properties 'x' not allowed".
    expect(words).toMatch(
      new RegExp(`ropert(y|ies) '?${key.split(".").at(-1)}'? (is )?not allowed`),
    );
  });

  test.each([
    ["daemonset.interval", "often"],
    ["daemonset.vendor", "rhel5"],
    ["daemonset.hostDirectory", "relative/path"],
    ["daemonset.hostDirectory", "/with a blank"],
    ["daemonset.hostDirectory", `/${"x".repeat(60)}`],
    ["composer.compression", "yes please"],
    ["composer.logLevel", "Loud"],
    ["composer.maxCoreSize", "many"],
    ["composer.timeout", 0],
    ["daemonset.suidDumpable", 3],
    ["daemonset.storeUrl", "https://host"],
    ["store.url", "https://host"],
    ["store.url", "gs://bucket?x"],
    ["daemonset.s3PartSize", 1000],
    ["daemonset.s3PartSize", "large"],
    ["daemonset.s3BucketName", "s3://cores"],
    ["daemonset.s3BucketName", "cores/prod"],
    ["daemonset.s3BucketName", "arn:aws:s3:::cores"],
    ["image.pullPolicy", "Sometimes"],
  ])("%s cannot be %p", async (key, value) => {
    const words = await refusalOf(helm, { values: { [key]: value } });
    expect(words.replaceAll("/", ".")).toContain(key);
  });

  test("one of two keys is refused, naming the other", async () => {
    const values = { "daemonset.s3AccessKey": "key" };
    expect(await refusalOf(helm, { values })).toContain("daemonset.s3Secret is not: set both");
    const other = { "daemonset.s3Secret": "secret" };
    expect(await refusalOf(helm, { values: other })).toContain("daemonset.s3AccessKey is not");
  });

  test("a folder of the system is no host directory", async () => {
    const values = { "daemonset.hostDirectory": "/usr/" };
    expect(await refusalOf(helm, { values })).toContain("a folder of the system itself");
  });

  test("extraEnvVars that is no list is refused", async () => {
    const values = { "daemonset.extraEnvVars": "S3_ENDPOINT=x" };
    expect(await refusalOf(helm, { values })).toContain("daemonset.extraEnvVars must be a list");
  });

  test.each(["16Mi", 16_777_216])("a part's size can be %p", async (size) => {
    const values = { "daemonset.s3PartSize": size };
    const env = envOf(await renderChart(helm, { values }));
    expect(env.get("STORE_PART_SIZE")?.value).toBe(String(size));
  });

  test("what IBM's chart refused for no reason is accepted", async () => {
    const values = {
      "daemonset.interval": 60000,
      "daemonset.schedule": "",
      "daemonset.useINotify": false,
      "daemonset.DeployCrioConfig": true,
      storage: "5Gi",
      tolerations: {},
      "composer.logLength": 10,
    };
    const run = await renderChart(helm, { values });
    expect(run.length).toBeGreaterThan(0);
  });
});
