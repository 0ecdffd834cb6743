// Cgroup v2 with the systemd driver, as most nodes have it today: a process that was started in a mount
// namespace with a pure cgroup2 tree and put into a scope of it crashes. Its path names a container of
// the real containerd. (The kernel of a hybrid machine still lists its v1 hierarchies in
// /proc/PID/cgroup, as "/"; the whole text of a v2 machine is in test/fixtures/cgroup.)
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { parseCgroup } from "../../../src/model/cgroup-path.ts";
import { endCgroup } from "../../support/cgroups.ts";
import { APP_IMAGE } from "../../support/containerd.ts";
import { buildCrashProgram } from "../../support/crash-program.ts";
import { withComposer } from "../../support/installed-composer.ts";
import { openZipOf } from "../../support/opened-zip.ts";
import { startPod } from "../../support/pods.ts";
import { runtimeSuite } from "../../support/runtime-suite.ts";

const suite = runtimeSuite();

/** $1 is the cgroup, $2 the program. */
const IN_PURE_CGROUP2 = `umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup &&
  mkdir -p "/sys/fs/cgroup$1" && echo $$ > "/sys/fs/cgroup$1/cgroup.procs" && exec "$2"`;

suite.test(
  "a scope of the systemd driver in a pure cgroup v2 tree names the container",
  async () => {
    const pod = await startPod(suite.containerd(), {
      name: "v2",
      containers: [{ name: "app", image: APP_IMAGE, args: ["talk", "1"] }],
    });
    const containerId = pod.containers[0]?.id ?? "";
    const uid = pod.uid.replaceAll("-", "_");
    const slice = `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${uid}.slice`;
    const path = `${slice}/cri-containerd-${containerId}.scope`;
    const program = await buildCrashProgram("sleeper");
    const inNamespace = ["unshare", "-m", "--propagation", "private", "sh", "-c", IN_PURE_CGROUP2];
    const child = Bun.spawn([...inNamespace, "sh", path, program], {
      stdio: ["ignore", "pipe", "inherit"],
      timeout: 60_000,
      killSignal: "SIGKILL",
    });
    try {
      const { value } = await child.stdout.getReader().read();
      expect(new TextDecoder().decode(value)).toStartWith("ready");
      const unified =
        readFileSync(`/proc/${child.pid}/cgroup`, "utf8").match(/^0::.*\n/m)?.[0] ?? "";
      expect(parseCgroup(unified)).toEqual({
        kind: "container",
        containerId,
        podUid: pod.uid,
        path,
      });
      await withComposer(suite.settings(), async (composer) => {
        child.kill("SIGSEGV");
        await composer.zips(1);
        const { info } = await openZipOf("sleeper", composer.coreDir, composer.folder);
        expect(info).toMatchObject({ identity: "cgroup", podname: "v2", container_name: "app" });
        expect(info).toMatchObject({ cgroup: path, container_id: containerId, missing: [] });
      });
    } finally {
      child.kill("SIGKILL");
      await child.exited;
      await endCgroup(slice);
    }
  },
);
