import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { parseCgroup } from "../../../src/model/cgroup-path.ts";

const FIXTURES = new URL("../../fixtures/cgroup/", import.meta.url);
const ID = "1f2e3d4c5b6a79880f1e2d3c4b5a69788f7e6d5c4b3a29180102030405060708";
const POD = "6f1c2f34-8f0e-4c55-9d3b-2f6a0d9c7b11";

const inPod = { kind: "container", containerId: ID, podUid: POD };
const alone = { kind: "container", containerId: ID, podUid: null };
/** The pod is named, and the container is not. */
const podOnly = { kind: "container", containerId: null, podUid: POD };
/** In a container, as far as can be told, and nothing says in which. */
const unnamed = { kind: "container", containerId: null, podUid: null } as const;
const host = (path: string) => ({ kind: "host", path });

const EXPECTED: Record<string, object> = {
  "v1-cgroupfs-containerd": inPod,
  "v1-cgroupfs-guaranteed": inPod,
  "v1-cgroupfs-crio": inPod,
  "v1-systemd-containerd": inPod,
  "v1-systemd-crio": inPod,
  "v1-systemd-cri-dockerd": inPod,
  "v1-mixed-drivers-containerd": inPod,
  "v1-partial-limits": inPod,
  "hybrid-cgroupfs-containerd": inPod,
  "hybrid-systemd-containerd": inPod,
  "v2-cgroupfs-containerd": inPod,
  "v2-cgroupfs-crio": inPod,
  "v2-cgroupfs-cri-dockerd": inPod,
  "v2-systemd-containerd": inPod,
  "v2-systemd-guaranteed": inPod,
  "v2-systemd-crio": inPod,
  "v2-systemd-crio-crun": inPod,
  "v2-systemd-cri-dockerd": inPod,
  "v2-k3s": inPod,
  "v2-k3s-rootless": inPod,
  "v2-kind": inPod,
  "v2-static-pod": { ...inPod, podUid: "5dd2cd2f5f4f4b8e3b1f0b8e9c4a7d61" },
  "v2-systemd-inside": inPod,
  "v2-nested-runtime": inPod,
  "v2-hostile-nested-pod": inPod,
  "v2-removed": inPod,
  "v2-cgroup-namespace": inPod,
  "docker-alone": alone,
  podman: alone,
  "host-systemd": host("/system.slice/sshd.service"),
  "host-user": host("/user.slice/user-1000.slice/session-4.scope"),
  "host-root": host("/"),
  "host-kubelet": host("/system.slice/kubelet.service"),
  "host-init": host("/init.scope"),
  "host-user-service": { kind: "host" },
  "host-udev": { kind: "host" },
  "host-instance": { kind: "host" },
  "host-limited": host("/"),
  "host-cgroup-namespace": host("/../../../system.slice/sshd.service"),
  "v2-crio-conmon": podOnly,
  "v1-pod-alone": podOnly,
  "v2-pod-alone": podOnly,
  "v2-qos-alone": unnamed,
  "v2-strange-in-pod": podOnly,
  "v1-kata": inPod,
  "v2-kata-overhead": alone,
  "v2-gvisor-systemd": alone,
  "crio-conmon-system": unnamed,
  "docker-systemd": alone,
  "podman-pod": alone,
  "podman-quadlet": alone,
  "podman-quadlet-runtime": unnamed,
  "podman-quadlet-rootless": alone,
  "podman-rootless": alone,
  "podman-conmon": unnamed,
  "podman-cgroupfs": alone,
  "podman-cgroupfs-conmon": unnamed,
  "nerdctl-systemd": alone,
  "nerdctl-cgroupfs": alone,
  ctr: unnamed,
  "runc-named": unnamed,
  "crun-named": unnamed,
  "youki-systemd": alone,
  "youki-cgroupfs": unnamed,
  "lxc-payload": unnamed,
  "lxc-v1": unnamed,
  "lxc-monitor": unnamed,
  "nspawn-scope": unnamed,
  "nspawn-service": unnamed,
};

test.each(Object.entries(EXPECTED))("%s names its container", (name, expected) => {
  expect(parseCgroup(readFileSync(new URL(`${name}.txt`, FIXTURES), "utf8"))).toMatchObject(
    expected,
  );
});

test("every fixture has its expectation", () => {
  const fixtures = readdirSync(FIXTURES).filter((file) => file.endsWith(".txt"));
  expect(fixtures.map((file) => file.slice(0, -".txt".length)).sort()).toEqual(
    Object.keys(EXPECTED).sort(),
  );
});

test("text that holds no cgroup line is called unreadable, not a host process", () => {
  for (const text of ["", "\n\n", "garbage", "12:memory", "x:memory:/kubepods"])
    expect(parseCgroup(text)).toEqual({ kind: "unreadable" });
});

test("an id of another length, in capitals or with a tail names no container, but the pod is named", () => {
  for (const segment of [ID.slice(1), `${ID}0`, ID.toUpperCase(), `crio-${ID}.scope.bak`])
    expect(parseCgroup(`0::/kubepods/pod${POD}/${segment}\n`)).toMatchObject(podOnly);
});

test("what is not one of the host's units is a container's", () => {
  for (const path of [
    "/redis",
    "/system.slice/a.service/b",
    "/system.slice/x.scope",
    "/..",
    "/a.slice/b/",
  ])
    expect(parseCgroup(`0::${path}\n`)).toEqual({ ...unnamed, path });
});

test("the path that named the container is kept whole, colons and all", () => {
  const path = `/system.slice/x:y/kubepods-pod${POD.replaceAll("-", "_")}.slice:cri-containerd:${ID}`;
  expect(parseCgroup(`4:memory:${path}\n`)).toMatchObject({ ...inPod, path });
});
