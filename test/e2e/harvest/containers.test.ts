// File capture in real containers: the kernel writes each core into the container's own layer, or into what is mounted
// over its /tmp, and the harvest takes it from there.
import { expect } from "bun:test";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { APP_IMAGE } from "../../support/containerd.ts";
import { harvestSuite } from "../../support/harvest-suite.ts";
import { startPod } from "../../support/pods.ts";
import { crashFirst } from "../../support/runtime-suite.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const { suite, harvestTest, app, start, startAll, layerOf, coresLeft, untilExited } =
  harvestSuite();

for (const uid of [0, 1000])
  harvestTest(
    `a container of user ${uid}: its core is zipped with all that the pipe tells, and removed`,
    async (harvested) => {
      const pod = await start(`user-${uid}`, uid === 0 ? {} : { uid });
      await crashFirst({ pod });
      const [zip] = await harvested.zipsOf({ podname: `user-${uid}` });
      const [container] = pod.containers;
      expect(zip?.info).toMatchObject({
        identity: "core_file",
        namespace: "default",
        pod_uid: pod.uid,
        container_id: container?.id,
        container_name: "app",
        image: APP_IMAGE,
        restart_count: 0,
        exe: "app",
        exe_path: "/bin/app",
        path: "!bin!app",
        hostname: `user-${uid}`,
        node_hostname: hostname(),
        host_pid: container?.pid,
        real_pid: "1",
        signal_name: "SIGSEGV",
        uid,
        dumpable: 1,
        core_format: "elf",
        core_complete: true,
        cgroup: null,
        missing: [],
      });
      expect(zip?.suffixes).toEqual([
        "-dump-info.json",
        ".core",
        "-pod-info.json",
        "-runtime-info.json",
        "-ps-info.json",
        "-0.log",
        "-0-image-info.json",
        "-summary.json",
        "-report.html",
      ]);
      await harvested.says("core_file_taken");
      expect(await coresLeft(pod)).toEqual([]);
      expect(harvested.metrics()).toContain('core_files_total{outcome="taken"} 1');
    },
  );

harvestTest(
  "a process whose first thread has ended: its core is its own container's, whatever its host name",
  async (harvested) => {
    await start("victim", { uid: 1000 });
    const pod = await startPod(suite.containerd(), {
      name: "hostile",
      hostname: "victim",
      containers: [app({ args: ["leaderless", "1"], uid: 1000 })],
    });
    await crashFirst({ pod });
    const [zip] = await harvested.zipsOf({ hostname: "victim" });
    expect(zip?.info).toMatchObject({
      identity: "core_file",
      podname: "hostile",
      container_id: pod.containers[0]?.id,
      host_pid: pod.containers[0]?.pid,
      real_pid: "1",
      signal: "11",
      uid: 1000,
      exe_path: "/bin/app",
      core_complete: true,
      missing: [],
    });
  },
);

harvestTest(
  "a process that is not the container's first: the container lives on, without the core",
  async (harvested) => {
    const pod = await start("deep", { args: ["deep", "1"] });
    await crashFirst({ pod });
    const [zip] = await harvested.zipsOf({ podname: "deep" });
    expect(zip?.info).toMatchObject({ container_name: "app", core_complete: true, missing: [] });
    expect(zip?.info.real_pid).not.toBe("1");
    const containers = (await zip?.json("-ps-info.json"))?.["containers"] as { state: string }[];
    expect(containers[0]?.state).toBe("CONTAINER_RUNNING");
    await harvested.says("core_file_taken");
    expect(await coresLeft(pod)).toEqual([]);
    expect(harvested.log.names()).not.toContain("core_not_left");
  },
);

harvestTest(
  "a read-only root: that no core could be left is said once, over restarts too",
  async (harvested) => {
    const pod = await start("sealed", { readOnlyRoot: true });
    await crashFirst({ pod });
    const told = await harvested.says("core_not_left");
    expect(told).toEqual({
      namespace: "default",
      pod: "sealed",
      container: "app",
      signal: "SIGSEGV",
      because: "its root file system is read-only, and no volume is mounted at /tmp",
    });
    await harvested.stop();
    harvested.start();
    // By then the exit of the first has been looked at again.
    await crashFirst({ pod: await start("next") });
    await harvested.zipsOf({ podname: "next" });
    await crashFirst({ pod: await start("sealed-too", { readOnlyRoot: true }) });
    await harvested.says("core_not_left", { pod: "sealed-too" });
    expect(harvested.log.names().filter((name) => name === "core_not_left")).toHaveLength(2);
    expect(harvested.metrics()).toContain('cores_not_left_total{namespace="default"} 2');
  },
);

harvestTest(
  "a volume over /tmp, shared by two containers: the core lies there, and the right one is named",
  (harvested) =>
    withFolder(async (folder) => {
      const hostPath = join(folder, "empty-dir");
      await mkdir(hostPath);
      await chmod(hostPath, 0o1777);
      const mounts = [{ containerPath: "/tmp", hostPath }];
      const pod = await startAll("shared", [
        app({ name: "other", mounts }),
        app({ mounts, uid: 1000, readOnlyRoot: true }),
      ]);
      const [other, crashing] = pod.containers;
      if (crashing === undefined) throw new Error("the pod has two containers");
      await crashFirst({ pod: { ...pod, containers: [crashing] } });
      const [zip] = await harvested.zipsOf({ podname: "shared" });
      expect(zip?.info).toMatchObject({
        container_id: crashing.id,
        uid: 1000,
        core_complete: true,
      });
      expect(zip?.info.container_id).not.toBe(other?.id ?? "");
      await harvested.says("core_file_taken");
      expect(await readdir(hostPath)).toEqual([]);
    }),
);

harvestTest(
  "a container that is removed, with its pod, before its core is read",
  async (harvested) => {
    const { cri } = suite.containerd();
    const pod = await start("fleeting", { args: ["talk", "1", "60"] });
    const layer = await layerOf(pod);
    await crashFirst({ pod });
    const composer = await harvested.composerAtWork();
    process.kill(composer, "SIGSTOP");
    await untilExited(pod);
    const containerId = pod.containers[0]?.id;
    await cri.call("RemoveContainer", { containerId });
    await cri.call("StopPodSandbox", { podSandboxId: pod.id });
    await cri.call("RemovePodSandbox", { podSandboxId: pod.id });
    for (let tries = 0; existsSync(layer); tries++) {
      if (tries > 400) throw new Error("containerd has not removed the layer");
      await Bun.sleep(25);
    }
    process.kill(composer, "SIGCONT");
    const [zip] = await harvested.zipsOf({ podname: "fleeting" });
    expect(zip?.info).toMatchObject({
      container_id: containerId,
      container_name: "app",
      pod_uid: pod.uid,
      core_complete: true,
    });
    expect((await zip?.json("-pod-info.json"))?.["id"]).toBe(pod.id);
    await harvested.says("core_file_taken");
  },
);

harvestTest(
  "cores that were left while no agent was there, of containers that have ended and that run",
  async (harvested) => {
    await harvested.stop();
    const ended = await start("ended");
    await crashFirst({ pod: ended });
    await untilExited(ended);
    await crashFirst({ pod: await start("alive", { args: ["deep", "1"] }) });
    harvested.start();
    for (const podname of ["ended", "alive"]) {
      const [zip] = await harvested.zipsOf({ podname });
      expect(zip?.info).toMatchObject({ core_complete: true, missing: [] });
    }
    expect(harvested.log.names()).not.toContain("core_not_left");
  },
);

harvestTest(
  "the owner's rules hold: what they leave out is removed all the same",
  async (harvested) => {
    const pod = await start("left-out");
    await crashFirst({ pod });
    await harvested.says("core_file_taken");
    expect(await coresLeft(pod)).toEqual([]);
    const lines = await harvested.composer.log();
    expect(lines.map(({ event }) => event)).toContain("dump_skipped");
    expect(await readdir(harvested.composer.coreDir)).toEqual([]);
  },
  { NAMESPACE_EXCLUDE: "default" },
);
