// What the pod gets for capture by files: the containers' files and the runtime, and no processes.
import { describe, expect, test } from "bun:test";
import type { HelmName } from "../../../build/helm.ts";
import { findTypeErrors } from "../../support/kubernetes-types.ts";
import {
  agentContainerOf,
  capabilitiesOf,
  hostPathsOf,
  mountsOf,
  objectOf,
  podOf,
  renderChart,
  type Manifest,
  type PodSpec,
} from "../../support/helm.ts";

const HELMS: HelmName[] = ["helm3", "helm4"];
const FILE = { "daemonset.captureMode": "file" };
const FALLBACK = { "daemonset.captureFallback": true };

describe.each(HELMS)("%s", (helm) => {
  test("file capture sees containers' files and the runtime, and neither processes nor a listener", async () => {
    const manifests = await renderChart(helm, { values: FILE });
    expect(findTypeErrors(objectOf(manifests, "DaemonSet"))).toEqual([]);
    expect(podOf(manifests)).not.toHaveProperty("hostPID");
    expect(podOf(manifests).containers).toHaveLength(1);
    const agent = agentContainerOf(manifests);
    const files = ["SYSLOG", "DAC_OVERRIDE", "FOWNER", "LEASE"];
    expect(capabilitiesOf(agent)).toEqual([...files, "SETGID", "SETUID"]);
    const unexplained = { ...FILE, composer: { explain: false } };
    expect(
      capabilitiesOf(agentContainerOf(await renderChart(helm, { values: unexplained }))),
    ).toEqual(files);
    expect(agent.volumeMounts?.slice(4)).toEqual([
      {
        name: "runtime",
        mountPath: "/run/containerd",
        mountPropagation: "HostToContainer",
        readOnly: true,
      },
      {
        name: "containerd-root",
        mountPath: "/var/lib/containerd",
        mountPropagation: "HostToContainer",
      },
      {
        name: "kubelet-pods",
        mountPath: "/var/lib/kubelet/pods",
        mountPropagation: "HostToContainer",
      },
      { name: "host-tmp", mountPath: "/host/tmp", mountPropagation: "HostToContainer" },
      { name: "pod-logs", mountPath: "/var/log/pods", readOnly: true },
      { name: "tmp", mountPath: "/tmp" },
    ]);
  });

  test("the node's folders are where the values say", async () => {
    const values = {
      ...FILE,
      "daemonset.containerdRoot": "/var/lib/rancher/k3s/agent/containerd",
      "daemonset.kubeletRoot": "/var/snap/microk8s/common/var/lib/kubelet/",
    };
    const manifests = await renderChart(helm, { values });
    const folders = [
      "/var/lib/rancher/k3s/agent/containerd",
      "/var/snap/microk8s/common/var/lib/kubelet/pods",
    ];
    expect(hostPathsOf(manifests)).toEqual(expect.arrayContaining(folders));
    expect(mountsOf(agentContainerOf(manifests))).toEqual(expect.arrayContaining(folders));
  });

  test("composers of file capture have memory of the agent's, which has more by default", async () => {
    const limit = async (values: object) =>
      agentContainerOf(await renderChart(helm, { values }))["resources"];
    expect(await limit({})).toMatchObject({ limits: { memory: "128Mi" } });
    expect(await limit(FILE)).toMatchObject({ limits: { memory: "384Mi" } });
    expect(await limit({ ...FILE, "image.limit_mem": "1Gi" })).toMatchObject({
      limits: { memory: "1Gi" },
    });
  });

  test("where the runtime is no containerd the fallback is the socket alone", async () => {
    const values = { ...FALLBACK, "daemonset.crioEndpoint": "unix:///var/run/crio/crio.sock" };
    const manifests = await renderChart(helm, { values });
    expect(podOf(manifests)["hostPID"]).toBe(true);
    expect(hostPathsOf(manifests)).not.toContain("/var/lib/containerd");
    expect(capabilitiesOf(agentContainerOf(manifests))).not.toContain("DAC_OVERRIDE");
  });

  test("helm test has a /tmp for its core where files may be captured, and only there", async () => {
    const mounts = async (values: object) => {
      const { spec } = objectOf(await renderChart(helm, { values }), "Pod") as Manifest & {
        spec: PodSpec;
      };
      return spec.containers.flatMap(mountsOf);
    };
    expect(await mounts(FILE)).toContain("/tmp");
    expect(await mounts({})).not.toContain("/tmp");
  });
});
