// The Deployment of `browser.enabled`: what it may do and which credentials it has.
import { expect, test } from "bun:test";
import { deploymentPodOf, renderChart, runHelm, CHART, type Manifest } from "../../support/helm.ts";

const AGENT = {
  "daemonset.s3AccessKey": "AGENTKEY",
  "daemonset.s3Secret": "AGENTSECRET",
  "daemonset.s3BucketName": "cores",
  "daemonset.s3Region": "us-east-1",
};
const ON = { ...AGENT, "browser.enabled": true };

const named = (manifests: readonly Manifest[], kind: string) =>
  manifests.filter((each) => each.kind === kind).map(({ metadata }) => metadata.name);

test("there is none by default", async () => {
  expect(named(await renderChart("helm4", { values: AGENT }), "Deployment")).toEqual([]);
});

test("it has a ServiceAccount of its own, no token of the cluster's, and nothing of the node", async () => {
  const manifests = await renderChart("helm4", { values: ON });
  const pod = deploymentPodOf(manifests);
  expect(named(manifests, "ServiceAccount")).toContain("core-dump-handler-browser");
  expect(pod).toMatchObject({
    serviceAccountName: "core-dump-handler-browser",
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 65_534 },
  });
  expect(pod.volumes.map((volume) => Object.keys(volume).sort())).toEqual([["emptyDir", "name"]]);
  expect(pod.containers[0]).toMatchObject({
    command: expect.not.arrayContaining(["--namespaces"]),
    securityContext: {
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
    },
  });
  expect(pod.containers[0]).not.toHaveProperty("ports");
});

test("the agent's keys never reach it; its own do, and its own variables win", async () => {
  const without = deploymentPodOf(await renderChart("helm4", { values: ON }));
  expect(JSON.stringify(without)).not.toMatch(/s3AccessKey|s3Secret|AGENT/);
  const values = {
    ...ON,
    "browser.s3AccessKey": "reader",
    "browser.s3Secret": "own",
    "browser.namespaces": ["shop", "bank"],
    "browser.extraEnvVars": [{ name: "STORE_TIMEOUT", value: "7" }],
  };
  const manifests = await renderChart("helm4", { values });
  const [container] = deploymentPodOf(manifests).containers;
  if (container === undefined) throw new Error("it has a container");
  expect(container.command).toEqual(expect.arrayContaining(["--namespaces", "shop,bank"]));
  const names = (container.env ?? []).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(container.env).toContainEqual({ name: "STORE_TIMEOUT", value: "7" });
  const secret = manifests.find(
    ({ kind, metadata }) => kind === "Secret" && metadata.name === "core-dump-handler-browser",
  );
  expect(secret?.["data"]).toEqual({ s3AccessKey: btoa("reader"), s3Secret: btoa("own") });
});

test("a key without its secret is refused with both names", async () => {
  const flags = ["--set", "browser.enabled=true", "--set", "browser.s3AccessKey=reader"];
  const run = await runHelm("helm4", "template", "release", CHART, ...flags);
  expect(run.ok).toBe(false);
  expect(run.errors).toContain("browser.s3Secret");
});
