// What the pod gets for each way of taking cores: nothing new for the pipe, and for the others what they need.
import { describe, expect, test } from "bun:test";
import type { HelmName } from "../../../build/helm.ts";
import { findTypeErrors } from "../../support/kubernetes-types.ts";
import {
  agentContainerOf,
  capabilitiesOf,
  containerOf,
  envOf,
  hostPathsOf,
  mountsOf,
  objectOf,
  podOf,
  refusalOf,
  renderChart,
} from "../../support/helm.ts";

const HELMS: HelmName[] = ["helm3", "helm4"];
const SOCKET = { "daemonset.captureMode": "socket" };
const FALLBACK = { "daemonset.captureFallback": true };
const FILE = { "daemonset.captureMode": "file" };
const STORE = { "daemonset.s3AccessKey": "key", "daemonset.s3Secret": "secret" };

describe.each(HELMS)("%s", (helm) => {
  test.each([{}, { "daemonset.captureMode": "auto" }, { "daemonset.captureMode": "pipe" }])(
    "with %j the pod has the rights of the pipe and no others",
    async (values) => {
      const manifests = await renderChart(helm, { values });
      const pod = podOf(manifests);
      expect(pod).not.toHaveProperty("hostPID");
      expect(pod.containers.map(({ name }) => name)).toEqual(["coredump-container"]);
      expect(agentContainerOf(manifests).securityContext).toEqual({
        privileged: false,
        runAsUser: 0,
        runAsGroup: 0,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"], add: ["SYSLOG"] },
        readOnlyRootFilesystem: true,
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(agentContainerOf(manifests).volumeMounts).toEqual([
        { name: "host-volume", mountPath: "/var/mnt/core-dump-handler" },
        { name: "core-pattern", mountPath: "/host/proc/sys/kernel/core_pattern" },
        { name: "core-pipe-limit", mountPath: "/host/proc/sys/kernel/core_pipe_limit" },
        { name: "suid-dumpable", mountPath: "/host/proc/sys/fs/suid_dumpable" },
      ]);
      expect(hostPathsOf(manifests)).toEqual([
        "/var/mnt/core-dump-handler",
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/core_pipe_limit",
        "/proc/sys/fs/suid_dumpable",
      ]);
    },
  );

  test.each([SOCKET, FALLBACK])(
    "with %j a listener stands beside the agent, in the node's pid namespace",
    async (values) => {
      const manifests = await renderChart(helm, { values });
      expect(findTypeErrors(objectOf(manifests, "DaemonSet"))).toEqual([]);
      expect(podOf(manifests)["hostPID"]).toBe(true);
      const [agent, listener] = [agentContainerOf(manifests), containerOf(manifests, "listener")];
      expect(listener).toMatchObject({
        name: "listener",
        image: agent.image,
        command: ["/app/core-dump-handler", "listen"],
      });
      expect(listener.securityContext).toEqual({
        privileged: false,
        runAsUser: 0,
        runAsGroup: 0,
        allowPrivilegeEscalation: false,
        capabilities: {
          drop: ["ALL"],
          add: [
            "DAC_READ_SEARCH",
            "KILL",
            "SETGID",
            "SETUID",
            "SYS_ADMIN",
            "SYS_CHROOT",
            "SYS_PTRACE",
          ],
        },
        readOnlyRootFilesystem: true,
        seccompProfile: { type: "RuntimeDefault" },
        appArmorProfile: { type: "Unconfined" },
      });
      expect(agent.securityContext?.["appArmorProfile"]).toEqual({ type: "Unconfined" });
      expect(capabilitiesOf(agent)).toEqual(
        expect.arrayContaining(["SYSLOG", "SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE"]),
      );
    },
  );

  test("the listener has the node's folders, the runtime and the logs, and these read-only", async () => {
    const manifests = await renderChart(helm, {
      values: { ...SOCKET, "daemonset.coreDirectory": "/mnt/cores" },
    });
    const listener = containerOf(manifests, "listener");
    expect(mountsOf(listener)).toEqual([
      "/var/mnt/core-dump-handler",
      "/mnt/cores",
      "/host/proc/sys/kernel/core_pattern",
      "/host/proc/sys/kernel/core_pipe_limit",
      "/host/proc/sys/fs/suid_dumpable",
      "/run/containerd",
      "/var/log/pods",
    ]);
    const readOnly = (listener.volumeMounts ?? []).filter((mount) => "readOnly" in mount);
    expect(readOnly.map(({ mountPath }) => mountPath)).toEqual([
      "/run/containerd",
      "/var/log/pods",
    ]);
    expect(mountsOf(agentContainerOf(manifests))).not.toContain("/run/containerd");
  });

  test("a larger send buffer is the agent's to set, where there may be a socket", async () => {
    const path = "/proc/sys/net/core/wmem_default";
    const asked = { "daemonset.socketSendBuffer": "2Mi" };
    for (const values of [SOCKET, FALLBACK]) {
      const manifests = await renderChart(helm, { values: { ...values, ...asked } });
      expect(findTypeErrors(objectOf(manifests, "DaemonSet"))).toEqual([]);
      expect(hostPathsOf(manifests)).toContain(path);
      expect(mountsOf(agentContainerOf(manifests))).toContain(`/host${path}`);
      expect(mountsOf(containerOf(manifests, "listener"))).not.toContain(`/host${path}`);
      expect(envOf(manifests).get("SOCKET_SEND_BUFFER")?.value).toBe("2Mi");
    }
    for (const values of [SOCKET, { ...FILE, ...asked }, asked])
      expect(hostPathsOf(await renderChart(helm, { values }))).not.toContain(path);
  });

  test("a listener that asks no runtime has neither its socket nor the logs", async () => {
    const values = { ...SOCKET, "composer.ignoreCrio": true };
    const manifests = await renderChart(helm, { values });
    expect(mountsOf(containerOf(manifests, "listener"))).not.toContain("/run/containerd");
    expect(hostPathsOf(manifests)).not.toContain("/var/log/pods");
  });

  test.each([
    ["unix:///run/k3s/containerd/containerd.sock", "/run/k3s/containerd", "Directory"],
    ["/run/crio/crio.sock", "/run/crio", "Directory"],
    // Its folder would be all of /run.
    ["unix:///var/run/cri-dockerd.sock", "/var/run/cri-dockerd.sock", "Socket"],
  ])("of the runtime at %s the listener sees %s", async (endpoint, path, type) => {
    const values = { ...SOCKET, "daemonset.crioEndpoint": endpoint };
    const { volumes } = podOf(await renderChart(helm, { values }));
    expect(volumes).toContainEqual({ name: "runtime", hostPath: { path, type } });
  });

  test("the listener reads what the agent reads, but for the store and its keys", async () => {
    const manifests = await renderChart(helm, {
      values: {
        ...SOCKET,
        ...STORE,
        "daemonset.s3BucketName": "cores",
        "daemonset.extraEnvVars": [{ name: "LOG_LEVEL", value: "Debug" }],
      },
    });
    const names = (containerOf(manifests, "listener").env ?? []).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["HOST_DIR", "PROC_ROOT", "CRIO_ENDPOINT"]));
    expect(names.filter((name) => /^S3_|STORE/.test(name))).toEqual([]);
    expect(envOf(manifests).has("S3_SECRET")).toBe(true);
    expect(containerOf(manifests, "listener").env).toContainEqual({
      name: "LOG_LEVEL",
      value: "Debug",
    });
  });

  test("files of /proc that only their user may read cost the listener one capability more", async () => {
    for (const [includeProcInfo, explain] of [
      [true, false],
      [false, true],
      [false, false],
    ]) {
      const values = {
        ...SOCKET,
        "composer.includeProcInfo": includeProcInfo ?? false,
        "composer.explain": explain ?? false,
      };
      const listener = containerOf(await renderChart(helm, { values }), "listener");
      expect(capabilitiesOf(listener).includes("DAC_READ_SEARCH")).toBe(
        includeProcInfo === true || explain === true,
      );
    }
  });

  test("privileged means both containers", async () => {
    const values = { ...SOCKET, "daemonset.privileged": true };
    const { containers } = podOf(await renderChart(helm, { values }));
    expect(containers.map(({ securityContext }) => securityContext)).toEqual([
      { privileged: true },
      { privileged: true },
    ]);
  });

  test("the listener has no memory limit unless it is given one", async () => {
    const listener = containerOf(await renderChart(helm, { values: SOCKET }), "listener");
    expect(listener["resources"]).toEqual({ requests: { cpu: "50m", memory: "64Mi" } });
    const values = { ...SOCKET, "daemonset.listener.resources.limits": { memory: "2Gi" } };
    const limited = containerOf(await renderChart(helm, { values }), "listener");
    expect(limited["resources"]).toMatchObject({ limits: { memory: "2Gi" } });
  });

  test.each([0, "0%"])("a maxSurge of %p is fine", async (maxSurge) => {
    const values = { ...SOCKET, "daemonset.updateStrategy": { rollingUpdate: { maxSurge } } };
    expect(podOf(await renderChart(helm, { values })).containers).toHaveLength(2);
  });

  test("OpenShift's constraint allows what the pod asks for, and no more", async () => {
    const allowed = async (values: object) => {
      const manifests = await renderChart(helm, { values: { ...values, "scc.create": true } });
      const scc = objectOf(manifests, "SecurityContextConstraints");
      const asked = podOf(manifests).containers.flatMap(capabilitiesOf);
      expect(scc["allowHostPID"]).toBe(podOf(manifests)["hostPID"] ?? false);
      expect(((scc["allowedCapabilities"] ?? []) as string[]).toSorted()).toEqual(
        [...new Set(asked)].toSorted(),
      );
      return scc;
    };
    expect(await allowed({})).toMatchObject({ allowHostPID: false });
    expect(await allowed(SOCKET)).toMatchObject({ allowHostPID: true });
    expect(await allowed({ ...FALLBACK, "composer.includeProcInfo": true })).toMatchObject({
      allowHostPID: true,
    });
    expect(await allowed({ "daemonset.kernelLog": false })).toMatchObject({
      allowedCapabilities: null,
    });
  });

  test.each([
    [{ "daemonset.captureMode": "pipes" }, "daemonset.captureMode"],
    [{ "daemonset.captureFallback": "yes" }, "daemonset.captureFallback"],
    [{ "daemonset.captureMode": "pipe", ...FALLBACK }, "nothing to fall back to"],
    [{ ...SOCKET, "daemonset.terminationGracePeriodSeconds": 0 }, "Give it some seconds"],
    [
      { ...SOCKET, "daemonset.updateStrategy": { rollingUpdate: { maxSurge: 1 } } },
      "two pods of one node",
    ],
    [{ ...SOCKET, "daemonset.crioEndpoint": "tcp://localhost:1" }, "must be a path"],
    [{ ...FILE, "daemonset.crioEndpoint": "crio.sock" }, "must be a path"],
    [
      { ...FILE, "daemonset.crioEndpoint": "unix:///run/crio/crio.sock" },
      "file capture knows containerd only",
    ],
    [{ "daemonset.sidecarContainers": [{ name: "listener" }] }, "a container of the chart's own"],
  ])("%j is refused in words", async (values, words) => {
    expect((await refusalOf(helm, { values })).replaceAll("/", ".")).toContain(words);
  });
});
