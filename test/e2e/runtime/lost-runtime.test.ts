// A runtime that is of no help: gone, hanging, talking rubbish, or without memory of the container. The
// core arrives whole every time, and dump-info says what is missing and why.
import { expect } from "bun:test";
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { openNativeRuntime } from "../../../src/composer/metadata/native-runtime.ts";
import { USUAL_SOCKETS } from "../../../src/model/runtime-socket.ts";
import { APP_IMAGE, startContainerd } from "../../support/containerd.ts";
import { startSleeper } from "../../support/crash-program.ts";
import { withCgroup } from "../../support/cgroups.ts";
import { composersAtWork, withComposer } from "../../support/installed-composer.ts";
import { openZipOf, type OpenedZip } from "../../support/opened-zip.ts";
import { startPod, type PodWish } from "../../support/pods.ts";
import { crashFirst, runtimeSuite } from "../../support/runtime-suite.ts";
import { STRANGE, withStrangeSocket } from "../../support/strange-sockets.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const suite = runtimeSuite();
const APP: PodWish = {
  name: "app-0",
  containers: [{ name: "app", image: APP_IMAGE, args: ["talk", "1"] }],
};
const EMPTY = ["-pod-info.json", "-runtime-info.json", "-ps-info.json"];

async function expectNoPodButTheCore(zip: OpenedZip, containerId: string): Promise<void> {
  expect(zip.info).toMatchObject({ core_complete: true, identity: "cgroup" });
  expect(zip.info).toMatchObject({ container_id: containerId, namespace: null, podname: null });
  expect(zip.suffixes).toEqual([
    "-dump-info.json",
    ".core",
    ...EMPTY,
    "-summary.json",
    "-report.html",
  ]);
  for (const suffix of EMPTY) expect(await zip.json(suffix)).toEqual({});
  expect((await zip.bytes(".core")).length).toBe(zip.info.core_bytes);
}

for (const kind of STRANGE)
  suite.test(`a ${kind} socket costs metadata, not the core`, () =>
    withFolder(async (folder) => {
      const socket = join(folder, "strange.sock");
      const pod = await startPod(suite.containerd(), APP);
      const settings = suite.settings({ CRIO_ENDPOINT: `unix://${socket}`, CRI_TIMEOUT: 1 });
      await withStrangeSocket(kind, socket, () =>
        withComposer({ ...settings, CORE_EVENTS: true }, async (composer) => {
          await crashFirst({ pod });
          await composer.zips(1);
          const zip = await openZipOf("app", composer.coreDir, composer.folder);
          await expectNoPodButTheCore(zip, pod.containers[0]?.id ?? "");
          const [missing] = zip.info.missing;
          expect(missing?.what).toBe("container runtime");
          expect(missing?.why).toContain(socket);
          const event = join(composer.hostDir, "events", `${zip.info.uuid}-event.json`);
          expect(await Bun.file(event).json()).toMatchObject({
            namespace: "unknown",
            image_list: [],
          });
        }),
      );
    }),
  );

suite.test("the crashed process is released while the runtime still hangs", () =>
  withFolder(async (folder) => {
    const socket = join(folder, "strange.sock");
    const pod = await startPod(suite.containerd(), APP);
    const settings = suite.settings({ CRIO_ENDPOINT: `unix://${socket}`, CRI_TIMEOUT: 60 });
    await withComposer(settings, async (composer) => {
      const executable = join(composer.hostDir, "cdc");
      await withStrangeSocket("silent", socket, async () => {
        await crashFirst({ pod });
        while (isAlive(pod.containers[0]?.pid ?? 0)) await Bun.sleep(10);
        expect(await composersAtWork(executable)).not.toEqual([]);
        expect(readdirSync(composer.coreDir).filter((name) => name.endsWith(".zip"))).toEqual([]);
      });
      // The socket is gone now, so nothing is left to wait for.
      await composer.zips(1);
      const zip = await openZipOf("app", composer.coreDir, composer.folder);
      await expectNoPodButTheCore(zip, pod.containers[0]?.id ?? "");
    });
  }),
);

/** False for a zombie too: what it held is free, only its parent has not asked for its end. */
function isAlive(pid: number): boolean {
  const stat = existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/stat`, "latin1") : ") Z ";
  return !stat.includes(") Z ");
}

suite.test(
  "another runtime's socket answers for a wrong endpoint, which is a complaint",
  async () => {
    const { socket } = suite.containerd();
    const wrong = "/run/wrong/runtime.sock";
    for (const [endpoint, candidates, expected] of [
      [wrong, [wrong, socket], [expect.stringContaining(`${socket} answers, and not ${wrong}`)]],
      [socket, [socket], []],
      // The default, on a node whose runtime is elsewhere.
      [USUAL_SOCKETS[0], [wrong, socket], []],
    ] as const) {
      const complaints: string[] = [];
      const opening = { deadlineMs: Date.now() + 60_000, signal: new AbortController().signal };
      const runtime = await openNativeRuntime(
        `unix://${endpoint}`,
        { ...opening, complaints, record: () => undefined },
        candidates,
      );
      runtime.close();
      expect(complaints).toEqual([...expected]);
    }
  },
);

suite.test("a containerd that was killed while its containers run", () =>
  withFolder(async (folder) => {
    const containerd = await startContainerd(folder);
    try {
      const pod = await startPod(containerd, APP);
      const settings = suite.settings({ CRIO_ENDPOINT: `unix://${containerd.socket}` });
      await withComposer(settings, async (composer) => {
        await containerd.kill();
        await crashFirst({ pod });
        await composer.zips(1);
        const zip = await openZipOf("app", composer.coreDir, composer.folder);
        await expectNoPodButTheCore(zip, pod.containers[0]?.id ?? "");
        expect(zip.info.missing[0]?.why).toContain(containerd.socket);
      });
    } finally {
      await containerd.stop();
    }
  }),
);

/** A crash in the cgroup of a container that the runtime does not know (any more). */
async function crashIn(cgroup: string, check: (zip: OpenedZip) => Promise<void>): Promise<void> {
  const sleeper = await startSleeper("sleeper");
  try {
    await withCgroup(sleeper.pid, cgroup, () =>
      withComposer(suite.settings(), async (composer) => {
        await sleeper.crash();
        await composer.zips(1);
        await check(await openZipOf("sleeper", composer.coreDir, composer.folder));
      }),
    );
  } finally {
    await sleeper.end();
  }
}

suite.test(
  "a container that is gone when the runtime is asked: its pod is still told",
  async () => {
    const pod = await startPod(suite.containerd(), { ...APP, name: "half-gone" });
    const goneId = randomBytes(32).toString("hex");
    await crashIn(`/kubepods/besteffort/pod${pod.uid}/${goneId}`, async (zip) => {
      expect(zip.info).toMatchObject({ podname: "half-gone", identity: "cgroup" });
      expect(zip.info).toMatchObject({ container_id: goneId, container_index: null });
      expect(zip.info).toMatchObject({ container_name: null, core_complete: true });
      expect(zip.suffixes).toContain("-0.log");
    });
  },
);

for (const [what, below] of [
  ["the pod's own cgroup", ""],
  ["a cgroup of no known form", "/strange"],
  ["a Kata sandbox", "/kata_SANDBOX"],
  [
    "a strange cgroup with one below that has the name of another's container",
    "/strange/CONTAINER",
  ],
] as const)
  suite.test(`${what} names its pod by the uid in the path, and by nothing else`, async () => {
    const pod = await startPod(suite.containerd(), { ...APP, name: "whole" });
    const other = await startPod(suite.containerd(), { ...APP, name: "other", namespace: "other" });
    const path = below
      .replace("SANDBOX", pod.id)
      .replace("CONTAINER", other.containers[0]?.id ?? "");
    await crashIn(`/kubepods/besteffort/pod${pod.uid}${path}`, async (zip) => {
      expect(zip.info).toMatchObject({
        identity: "cgroup",
        namespace: "default",
        podname: "whole",
      });
      expect(zip.info).toMatchObject({ pod_uid: pod.uid, container_name: null, missing: [] });
      expect(zip.suffixes).toContain("-0.log");
    });
  });

for (const cgroup of ["/default/redis", "/system.slice/web.service/runtime", "/kata_overhead/ID"])
  suite.test(`a process in ${cgroup} does not pass for the host's`, () =>
    crashIn(cgroup.replace("ID", randomBytes(32).toString("hex")), async ({ info, suffixes }) => {
      expect(info.identity).not.toBe("host_process");
      expect(info).toMatchObject({ namespace: null, core_complete: true });
      expect(info.cgroup).toStartWith(cgroup.replace("ID", ""));
      expect(suffixes).toEqual([
        "-dump-info.json",
        ".core",
        ...EMPTY,
        "-summary.json",
        "-report.html",
      ]);
    }),
  );

suite.test(
  "a whole pod that is gone: the cgroup's ids are told, and nobody else's pod",
  async () => {
    const goneId = randomBytes(32).toString("hex");
    const podUid = randomUUID();
    await crashIn(`/kubepods/besteffort/pod${podUid}/${goneId}`, async (zip) => {
      await expectNoPodButTheCore(zip, goneId);
      expect(zip.info.pod_uid).toBe(podUid);
      expect(zip.info.missing.map(({ why }) => why).join()).toContain("does not know container");
    });
  },
);

suite.test("a process of the host is delivered as one, without pod files", async () => {
  const sleeper = await startSleeper("sleeper");
  try {
    await withComposer(suite.settings(), async (composer) => {
      await sleeper.crash();
      await composer.zips(1);
      const zip = await openZipOf("sleeper", composer.coreDir, composer.folder);
      expect(zip.info).toMatchObject({ identity: "host_process", missing: [], podname: null });
      expect(zip.suffixes).toEqual(["-dump-info.json", ".core", "-summary.json", "-report.html"]);
    });
  } finally {
    await sleeper.end();
  }
});
