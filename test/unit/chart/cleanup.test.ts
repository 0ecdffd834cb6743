// What comes behind `helm uninstall`, and where the agent runs at all.
import { describe, expect, test } from "bun:test";
import type { HelmName } from "../../../build/helm.ts";
import {
  cleanUpOf,
  cleanUpPodOf,
  hostPathsOf,
  podOf,
  renderChart,
  type Manifest,
  type PodSpec,
} from "../../support/helm.ts";

const HELMS: HelmName[] = ["helm3", "helm4"];

describe.each(HELMS)("%s", (helm) => {
  test("rights come before the pods, the pods before the Job that waits, and all of it goes", async () => {
    const manifests = cleanUpOf(await renderChart(helm, { values: { "scc.create": true } }));
    const weights = manifests.map((each) => [each.kind, hookOf(each)["hook-weight"]] as const);
    expect(Object.fromEntries(weights)).toEqual({
      ServiceAccount: "-10",
      SecurityContextConstraints: "-10",
      Role: "-10",
      RoleBinding: "-10",
      DaemonSet: "0",
      Job: "10",
    });
    for (const each of manifests)
      expect(hookOf(each)["hook-delete-policy"]).toMatch(/before-hook-creation,hook-succeeded/);
  });

  test("the node is reached where the agent reached it", async () => {
    const values = {
      usePersistentVolumes: true,
      "daemonset.coreDirectory": "/var/cores",
      nodeSelector: { pool: "x" },
      tolerations: [{ operator: "Exists" }],
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
      "daemonset.sidecarContainers": [{ name: "s", image: "i" }],
    };
    const manifests = await renderChart(helm, { values });
    const pod = cleanUpPodOf(manifests);
    // The claims are gone by then.
    expect(pathsOf(pod)).toEqual([
      "/var/mnt/core-dump-handler",
      "/var/cores",
      "/proc/sys/kernel/core_pattern",
      "/proc/sys/kernel/core_pipe_limit",
      "/proc/sys/fs/suid_dumpable",
    ]);
    expect(pod["nodeSelector"]).toEqual(podOf(manifests)["nodeSelector"]);
    expect(pod["tolerations"]).toEqual([{ operator: "Exists" }]);
    expect(pod["affinity"]).toEqual(values.affinity);
    expect(pod.initContainers?.[0]?.command).toEqual([
      "/app/core-dump-agent",
      "remove",
      "--behind-uninstall",
    ]);
    expect(pod.containers[0]?.command).toEqual([
      "/app/core-dump-agent",
      "remove",
      "--behind-uninstall",
      "--stay",
    ]);
  });

  test("by default it mounts what the agent mounts, and holds no key of the store", async () => {
    const values = { "daemonset.s3AccessKey": "k", "daemonset.s3Secret": "s" };
    const manifests = await renderChart(helm, { values });
    const pod = cleanUpPodOf(manifests);
    expect(pathsOf(pod)).toEqual(hostPathsOf(manifests));
    const names = pod.containers[0]?.env?.map(({ name }) => name) ?? [];
    expect(names).toContain("DAEMONSET_NAME");
    expect(names.filter((name) => /^(?:S3|STORE)_/.test(name))).toEqual([]);
  });

  test("it can be left out, and is where nobody would give it its rights", async () => {
    expect(cleanUpOf(await renderChart(helm, { values: { "rbac.create": false } }))).toEqual([]);
    expect(cleanUpOf(await renderChart(helm, { values: { "cleanup.enabled": false } }))).toEqual(
      [],
    );
    const seconds = { "cleanup.seconds": 7 };
    const job = cleanUpOf(await renderChart(helm, { values: seconds })).find(
      ({ kind }) => kind === "Job",
    );
    expect(JSON.stringify(job)).toContain('"--within","7"');
  });

  test("pods go to Linux nodes, unless the values name an operating system themselves", async () => {
    const selector = async (values: object) =>
      podOf(await renderChart(helm, { values }))["nodeSelector"];
    expect(await selector({})).toEqual({ "kubernetes.io/os": "linux" });
    expect(await selector({ nodeSelector: { pool: "x" } })).toEqual({
      "kubernetes.io/os": "linux",
      pool: "x",
    });
    expect(await selector({ nodeSelector: { "kubernetes.io/os": "odd" } })).toEqual({
      "kubernetes.io/os": "odd",
    });
  });
});

function hookOf({ metadata }: Manifest): Record<string, string> {
  const annotations = metadata["annotations"] as Record<string, string>;
  return Object.fromEntries(
    Object.entries(annotations).map(([name, value]) => [name.replace("helm.sh/", ""), value]),
  );
}

function pathsOf({ volumes }: PodSpec): string[] {
  return volumes.flatMap(({ hostPath }) =>
    hostPath === undefined ? [] : [(hostPath as { path: string }).path],
  );
}
