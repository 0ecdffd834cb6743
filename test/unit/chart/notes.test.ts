// What is told after an install: the next commands, and what looks odd about the values.
import { expect, test } from "bun:test";
import { withCluster } from "../../support/helm-cluster.ts";
import { CHART, runHelm } from "../../support/helm.ts";
import { ibmObjects } from "../../support/ibm-release.ts";
import { IBM_PROVIDERS } from "../../support/ibm-values.ts";

const OURS = { "image.registry": "registry.example.com", "image.repository": "tools/cdh" };
const QUIET = { "daemonset.s3BucketName": "cores", ...OURS };

async function notes(values: object, helmArguments = ["--dry-run=client"]): Promise<string> {
  const sets = Object.entries(values).flatMap(([key, value]) => [
    "--set-json",
    `${key}=${JSON.stringify(value)}`,
  ]);
  const run = await runHelm(
    "helm4",
    "install",
    "second",
    CHART,
    "-n",
    "observe",
    ...sets,
    ...helmArguments,
  );
  if (!run.ok) throw new Error(run.errors);
  return run.output.slice(run.output.indexOf("NOTES:"));
}

test("the next three commands name the objects of this release", async () => {
  const words = await notes(QUIET);
  expect(words).toContain("kubectl -n observe rollout status daemonset/second-core-dump-handler");
  expect(words).toContain("helm test second -n observe");
  expect(words).toContain("kubectl -n observe logs -l name=second-core-dump-handler");
  expect(words).toContain("go to the bucket cores");
  expect(words).not.toContain("WARNING");
});

test.each([
  ["no bucket is set", {}],
  [
    "the interval counts, the schedule does not",
    { "daemonset.interval": 60000, "daemonset.schedule": "0 * * * *" },
  ],
  ["nothing is uploaded", { "daemonset.useINotify": false }],
  ["are not used", { "daemonset.manageStoreSecret": false, "daemonset.s3AccessKey": "k" }],
  [
    "image.tag is main, which in this repository is IBM's",
    {
      "image.registry": "mirror.example.com",
      "image.repository": "icdh/core-dump-handler",
      "image.tag": "main",
    },
  ],
  [
    "quay.io/icdh/core-dump-handler is IBM's, and holds no image of this program",
    { "image.registry": "quay.io", "image.repository": "icdh/core-dump-handler" },
  ],
  ["runs privileged", { "daemonset.privileged": true }],
  ["over the node's processes", { "daemonset.captureFallback": true }],
  ["over the files of all containers", { "daemonset.captureMode": "file" }],
])("%s is said", async (words, values) => {
  const base = words === "no bucket is set" ? {} : QUIET;
  expect(await notes({ ...base, ...values })).toContain(words);
});

test("without a store it is said that the agents end, and not that dumps wait anywhere", async () => {
  const words = await notes({});
  expect(words).toContain("NOTHING IS COLLECTED YET");
  expect(words).not.toContain("Dumps wait");
  // Without uploads the agents need none.
  const off = await notes({ "daemonset.useINotify": false });
  expect(off).toContain("Dumps wait on each node in /var/mnt/core-dump-handler/cores.");
  expect(off).not.toContain("no bucket is set");
});

test("IBM's privileged constraint, which no release owns, is named with how to delete it", async () => {
  const values = { ...QUIET, "scc.create": true };
  const left = ibmObjects(IBM_PROVIDERS["openshift"] ?? {});
  const words = await withCluster(left, (helmArguments) => notes(values, helmArguments));
  expect(words).toContain("kubectl delete scc core-dump-admin-privileged");
  const clean = await withCluster([], (helmArguments) => notes(values, helmArguments));
  expect(clean).not.toContain("kubectl delete scc");
});

test("a bucket from elsewhere is enough", async () => {
  const external = {
    "daemonset.manageStoreSecret": false,
    "daemonset.envFrom": [{ secretRef: { name: "v" } }],
  };
  expect(await notes(external)).not.toContain("no bucket");
  const extra = { "daemonset.extraEnvVars": [{ name: "S3_BUCKET_NAME", value: "b" }] };
  expect(await notes(extra)).not.toContain("no bucket");
});
