// A process whose first thread has ended (main() called pthread_exit) while another crashes: /proc/PID is a zombie
// then, and all that is known of the crash stands in /proc/PID/task/TID. Its pod's host name is another tenant's
// pod's name, as anybody may set it.
import { expect } from "bun:test";
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { endCgroup } from "../../support/cgroups.ts";
import { buildStatic } from "../../support/container-images.ts";
import { APP_IMAGE } from "../../support/containerd.ts";
import { gatedTest, socketObstacle } from "../../support/gate.ts";
import { withComposer, type Way } from "../../support/installed-composer.ts";
import { openZipOf } from "../../support/opened-zip.ts";
import { startPod, type PodWish } from "../../support/pods.ts";
import { crashFirst, runtimeSuite } from "../../support/runtime-suite.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const suite = runtimeSuite();
const isHybrid = existsSync("/sys/fs/cgroup/systemd/cgroup.procs");

const HOSTILE: PodWish = {
  name: "hostile",
  namespace: "tenant-b",
  hostname: "victim",
  labels: { "my.org/collect": "yes" },
  containers: [{ name: "app", image: APP_IMAGE, args: ["leaderless", "1"], uid: 1000 }],
};
const VICTIM: PodWish = {
  name: "victim",
  namespace: "tenant-a",
  containers: [{ name: "app", image: APP_IMAGE, args: ["talk", "7"], uid: 1000 }],
};
const RULES = { POD_SELECTOR_LABEL: "my.org/collect=yes", NAMESPACE_EXCLUDE: "tenant-a" };

for (const way of ["pipe", "@", "@@"] satisfies Way[])
  gatedTest(
    `by ${way}, a crash behind its first thread's end is its own pod's, with signal, program and user`,
    [...suite.obstacles, way === "pipe" ? undefined : socketObstacle()],
    async () => {
      await startPod(suite.containerd(), VICTIM);
      const pod = await startPod(suite.containerd(), HOSTILE);
      const settings = suite.settings({ ...RULES, INCLUDE_PROC_INFO: true });
      await withComposer(
        settings,
        async (composer) => {
          await crashFirst({ pod });
          await composer.zips(1);
          const zip = await openZipOf("app", composer.coreDir, composer.folder);
          const [app] = pod.containers;
          expect(zip.info).toMatchObject({
            identity: "cgroup",
            namespace: "tenant-b",
            podname: "hostile",
            container_id: app?.id,
            host_pid: app?.pid,
            real_pid: "1",
            uid: 1000,
            signal: "11",
            exe_path: "/bin/app",
            path: "!bin!app",
            hostname: "victim",
            core_complete: true,
            missing: [],
          });
          expect(zip.info.host_tid).toBeGreaterThan(app?.pid ?? 0);
          expect(await zip.text("-0.log")).toContain("err 0\n");
          expect(await zip.text("-crash-proc/cmdline")).toBe("/bin/app\0leaderless\x001\0");
          expect(await zip.text("-crash-proc/maps")).toContain("/bin/app");
          expect(await zip.text("-0-proc/environ")).toContain("HOSTNAME=victim");
        },
        way,
      );
    },
  );

/** In cgroup v1 alone, where the cgroup of a thread that has ended is "/": $1 is the cgroup, $2 the program. */
const IN_CGROUP1 = `mkdir -p "/sys/fs/cgroup/systemd$1" &&
  echo $$ > "/sys/fs/cgroup/systemd$1/cgroup.procs" && exec "$2" leaderless 1`;

gatedTest(
  "on cgroup v1 the core of a container's such process is not handed to the host's handler",
  [...suite.obstacles, isHybrid ? undefined : "needs the systemd hierarchy of cgroup v1"],
  () =>
    withFolder(async (folder) => {
      const [handler, taken] = [join(folder, "handler"), join(folder, "taken")];
      await writeFile(handler, `#!/bin/sh\ncat > ${taken}\n`);
      await chmod(handler, 0o755);
      const program = await buildStatic("app", folder);
      const pod = `/kubepods/besteffort/pod${randomUUID()}`;
      const cgroup = `${pod}/${randomBytes(32).toString("hex")}`;
      const child = Bun.spawn(["sh", "-c", IN_CGROUP1, "sh", cgroup, program], {
        stdio: ["ignore", "pipe", "ignore"],
        timeout: 60_000,
        killSignal: "SIGKILL",
      });
      try {
        await untilReady(child.stdout);
        await withComposer({ PREVIOUS_HANDLER: `|${handler}` }, async (composer) => {
          child.kill("SIGUSR1");
          await composer.zips(1);
          const { info } = await openZipOf("app", composer.coreDir, composer.folder);
          expect(info).toMatchObject({ identity: "cgroup", cgroup, core_complete: true });
        });
        expect(await Bun.file(taken).exists()).toBe(false);
      } finally {
        child.kill("SIGKILL");
        await child.exited;
        await endCgroup(pod);
      }
    }),
);

async function untilReady(output: ReadableStream<Uint8Array>): Promise<void> {
  let text = "";
  for await (const chunk of output) {
    text += new TextDecoder().decode(chunk);
    if (text.endsWith("ready\n")) return;
  }
  throw new Error("the program ended before it was ready");
}

suite.podTest(
  "a neighbour whose first thread has ended is read by one that lives",
  {
    name: "pair",
    containers: [
      { name: "app", image: APP_IMAGE, args: ["talk", "1"] },
      { name: "other", image: APP_IMAGE, args: ["leaderless", "1"] },
    ],
  },
  { settings: { INCLUDE_PROC_INFO: true } },
  async (zip) => {
    expect(zip.info.missing).toEqual([]);
    const cmdlines = [await zip.text("-0-proc/cmdline"), await zip.text("-1-proc/cmdline")];
    expect(cmdlines.toSorted()).toEqual(["/bin/app\0leaderless\x001\0", "/bin/app\0talk\x001\0"]);
  },
);
