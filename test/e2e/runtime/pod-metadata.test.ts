// Real crashes in real containers: the kernel starts the composer, the composer asks a real containerd,
// and the zip's every file is held against what the runtime itself tells another client.
import { expect } from "bun:test";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { APP_IMAGE, SHELL_IMAGE } from "../../support/containerd.ts";
import type { CriJson } from "../../support/cri-driver.ts";
import { withComposer, type InstalledComposer } from "../../support/installed-composer.ts";
import { openZipOf, type OpenedZip } from "../../support/opened-zip.ts";
import { startPod, type PodWish, type RunningPod } from "../../support/pods.ts";
import { crashFirst, runtimeSuite } from "../../support/runtime-suite.ts";

const suite = runtimeSuite();

const WEB: PodWish = {
  name: "web-0",
  labels: { app: "web", "info.coredump.owner": "me" },
  containers: [
    { name: "app", image: APP_IMAGE, args: ["talk", "3"], restartCount: 2 },
    { name: "sidecar", image: SHELL_IMAGE, args: ["-c", "echo side; exec sleep 3600"], uid: 1000 },
  ],
};

let before: Awaited<ReturnType<typeof askRuntime>>;

/** What the runtime tells the tests' own client of a pod. */
async function askRuntime(pod: RunningPod) {
  const { cri } = suite.containerd();
  const { items } = await cri.call("ListPodSandbox", { filter: { id: pod.id } });
  const listed = await cri.call("ListContainers", { filter: { podSandboxId: pod.id } });
  const { images } = await cri.call("ListImages");
  const main = `/proc/${pod.containers[0]?.pid}`;
  return {
    pod: (items as CriJson[])[0],
    status: await cri.call("PodSandboxStatus", { podSandboxId: pod.id, verbose: true }),
    containers: listed["containers"] as CriJson[],
    images: images as CriJson[],
    proc: {
      cmdline: await readFile(`${main}/cmdline`),
      environ: await readFile(`${main}/environ`),
      auxv: await readFile(`${main}/auxv`),
      maps: await readFile(`${main}/maps`),
    },
  };
}

suite.podTest(
  "a pod of two containers: every file of the zip is what the runtime itself answers",
  WEB,
  {
    settings: { INCLUDE_PROC_INFO: true, CORE_EVENTS: true, LOG_LENGTH: 5 },
    crash: async ({ pod }) => {
      before = await askRuntime(pod);
      await crashFirst({ pod });
    },
  },
  async (zip, { pod, composer }) => {
    const { info } = zip;
    const [app] = pod.containers;
    expect(info.missing).toEqual([]);
    expect(info).toMatchObject({
      identity: "cgroup",
      namespace: "default",
      podname: "web-0",
      pod_uid: pod.uid,
      container_id: app?.id,
      container_name: "app",
      image: APP_IMAGE,
      restart_count: 2,
      host_pid: app?.pid,
      real_pid: "1",
      uid: 0,
      dumpable: 1,
      exe_path: "/bin/app",
      signal_name: "SIGSEGV",
      hostname: "web-0",
      node_hostname: hostname(),
      core_complete: true,
    });
    expect(info.cgroup).toBe(`/kubepods/besteffort/pod${pod.uid}/${app?.id}`);

    expect(await zip.json("-pod-info.json")).toEqual({ ...before.pod });
    await expectRuntimeInfo(zip);
    const containers = (await zip.json("-ps-info.json"))["containers"] as CriJson[];
    const crashed = info.container_index ?? -1;
    expect(containers[crashed]?.["id"]).toBe(app?.id);
    for (const container of containers) {
      const expected = before.containers.find(({ id }) => id === container["id"]);
      // A small core is drained before the runtime is asked: the crasher may have exited by then.
      if (container["id"] === app?.id)
        expect(["CONTAINER_RUNNING", "CONTAINER_EXITED"]).toContain(String(container["state"]));
      expect<CriJson>({ ...container, state: expected?.["state"] }).toEqual({ ...expected });
    }
    expect(containers).toHaveLength(2);

    for (const [index, container] of containers.entries()) {
      const image = await zip.json(`-${index}-image-info.json`);
      expect(image).toEqual({ ...before.images.find(({ id }) => id === container["imageRef"]) });
    }
    const other = 1 - crashed;
    expect(await zip.text(`-${other}.log`)).toBe("side\n");
    // Three lines on each stream, the long one, "ready"; which stream wins a race is the runtime's matter.
    const written = await linesOf(app?.logPath ?? "");
    expect(written).toHaveLength(8);
    expect(written).toContain(longLine());
    expect(written.filter((line) => line.startsWith("err "))).toHaveLength(3);
    const log = await zip.text(`-${crashed}.log`);
    expect(log).toBe(
      written
        .slice(-5)
        .map((line) => `${line}\n`)
        .join(""),
    );

    for (const [name, bytes] of Object.entries(before.proc)) {
      expect(await zip.bytes(`-${crashed}-proc/${name}`)).toEqual(bytes);
      expect(await zip.bytes(`-crash-proc/${name}`)).toEqual(bytes);
    }
    expect(await zip.text("-crash-proc/status")).toMatch(new RegExp(`^Pid:\\s+${app?.pid}$`, "m"));
    expect(await zip.text(`-${other}-proc/cmdline`)).toBe(argv("sleep", "3600"));

    expect(zip.suffixes).toEqual([
      "-dump-info.json",
      ".core",
      "-pod-info.json",
      "-runtime-info.json",
      "-ps-info.json",
      ...[0, 1].flatMap((n) => [`-${n}.log`, `-${n}-image-info.json`, ...procNames(`-${n}-proc`)]),
      ...procNames("-crash-proc"),
      "-summary.json",
      "-report.html",
    ]);
    await expectEvent(zip, composer);
  },
);

/** The lines of a CRI log file in which stdout alone has a line of several pieces. */
async function linesOf(logPath: string): Promise<string[]> {
  const lines: string[] = [];
  let begun = "";
  for (const line of (await readFile(logPath, "utf8")).trimEnd().split("\n")) {
    const [, stream, tag, ...words] = line.split(" ");
    if (stream === "stderr") lines.push(words.join(" "));
    else begun += words.join(" ");
    if (stream !== "stdout" || tag !== "F") continue;
    lines.push(begun);
    begun = "";
  }
  return lines;
}

const argv = (...args: string[]) => args.map((arg) => `${arg}\0`).join("");

const procNames = (prefix: string) =>
  ["auxv", "cmdline", "environ", "maps", "status"].map((name) => `${prefix}/${name}`);

const longLine = () =>
  Array.from({ length: 40_000 }, (_, i) => String.fromCodePoint(97 + (i % 26))).join("");

async function expectRuntimeInfo(zip: OpenedZip): Promise<void> {
  const { status, info, ...rest } = await zip.json("-runtime-info.json");
  const expected = before.status["status"] as CriJson;
  const verbose = before.status["info"] as Record<string, string>;
  expect(rest).toEqual({});
  expect(info).toEqual(JSON.parse(verbose["info"] ?? ""));
  const { createdAt, ...fields } = status as CriJson;
  const { createdAt: nanoseconds, ...expectedFields } = expected;
  expect(fields).toEqual(expectedFields);
  const fraction = /\.(\d+)Z$/.exec(String(createdAt))?.[1] ?? "";
  const seconds = BigInt(Math.floor(Date.parse(String(createdAt)) / 1000));
  expect(`${seconds}${fraction.padEnd(9, "0")}`).toBe(String(nanoseconds));
}

async function expectEvent(zip: OpenedZip, { hostDir }: InstalledComposer): Promise<void> {
  const path = join(hostDir, "events", `${zip.info.uuid}-event.json`);
  expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({
    key: zip.path.split("/").at(-1),
    uuid: zip.info.uuid,
    namespace: "default",
    labels: { "info.coredump.owner": "me" },
    image_list: expect.arrayContaining([APP_IMAGE, SHELL_IMAGE]),
    exe_name: "app",
    exe_path: "!bin!app",
    pid: "1",
    signal: "11",
    hostname: "web-0",
  });
}

suite.test("of two pods with one name, the one that crashed is told", async () => {
  const wish = (namespace: string): PodWish => ({
    name: "twin",
    namespace,
    containers: [{ name: "app", image: APP_IMAGE, args: ["talk", "1"] }],
  });
  await startPod(suite.containerd(), wish("blue"));
  const green = await startPod(suite.containerd(), wish("green"));
  await startPod(suite.containerd(), wish("red"));
  await withComposer(
    suite.settings({ FILENAME_TEMPLATE: "{namespace}-{podname}-{uuid}" }),
    async (composer) => {
      await crashFirst({ pod: green });
      await composer.zips(1);
      const zip = await openZipOf("app", composer.coreDir, composer.folder);
      expect(zip.info).toMatchObject({ namespace: "green", podname: "twin", pod_uid: green.uid });
      expect(zip.path).toContain("/green-twin-");
    },
  );
});

suite.podTest(
  "a pod on the host's network is told from the host by its cgroup",
  {
    name: "agent",
    namespace: "kube-system",
    hostNetwork: true,
    containers: [{ name: "app", image: APP_IMAGE, args: ["talk", "1"] }],
  },
  {},
  async ({ info }) => {
    expect(info).toMatchObject({ namespace: "kube-system", podname: "agent", identity: "cgroup" });
    expect(info.hostname).toBe(hostname());
  },
);

suite.podTest(
  "a container that does not run as root",
  { name: "user", containers: [{ name: "app", image: APP_IMAGE, args: ["talk", "1"], uid: 1000 }] },
  { settings: { INCLUDE_PROC_INFO: true } },
  async (zip) => {
    expect(zip.info).toMatchObject({ podname: "user", uid: 1000, dumpable: 1, missing: [] });
    expect(await zip.text("-crash-proc/cmdline")).toBe(argv("/bin/app", "talk", "1"));
  },
);

suite.podTest(
  "a process deep in the container: the container lives on, and both are told apart",
  { name: "deep", containers: [{ name: "app", image: APP_IMAGE, args: ["deep", "1"] }] },
  { settings: { INCLUDE_PROC_INFO: true } },
  async (zip, { pod }) => {
    const main = pod.containers[0]?.pid;
    expect(zip.info).toMatchObject({ podname: "deep", container_index: 0, missing: [] });
    expect(zip.info.real_pid).not.toBe("1");
    expect(zip.info.host_pid).not.toBe(main ?? 0);
    expect(await zip.text("-0-proc/status")).toMatch(new RegExp(`^Pid:\\s+${main}$`, "m"));
    expect(await zip.text("-crash-proc/status")).toMatch(
      new RegExp(`^Pid:\\s+${zip.info.host_pid}$`, "m"),
    );
    const ps = (await zip.json("-ps-info.json"))["containers"] as CriJson[];
    expect(ps[0]?.["state"]).toBe("CONTAINER_RUNNING");
  },
);

suite.podTest(
  "a shell in a running container that is told to kill -11 itself",
  {
    name: "busybox",
    containers: [{ name: "shell", image: SHELL_IMAGE, args: ["-c", "exec sleep 3600"] }],
  },
  {
    exe: "sh",
    crash: async ({ pod }) => {
      const containerId = pod.containers[0]?.id;
      const request = { containerId, cmd: ["sh", "-c", "kill -11 $$"], timeout: 10 };
      const { exitCode } = await suite.containerd().cri.call("ExecSync", request);
      expect(exitCode).toBe(128 + 11);
    },
  },
  async (zip) => {
    expect(zip.info).toMatchObject({ podname: "busybox", container_name: "shell", uid: 1000 });
    expect(zip.info).toMatchObject({ signal: "11", core_complete: true, missing: [] });
  },
);

const SECRET: PodWish = {
  name: "secret",
  containers: ["app", "other"].map((name) => ({
    name,
    image: APP_IMAGE,
    command: ["/bin/secret"],
    args: ["talk", "1"],
    uid: 1000,
  })),
};

/** The pod starts under the composer's fs.suid_dumpable: execve(2) decides by it. */
function secretTest(
  name: string,
  settings: Record<string, boolean>,
  check: (zip: OpenedZip) => Promise<void>,
) {
  suite.test(name, () =>
    withComposer(suite.settings({ INCLUDE_PROC_INFO: true, ...settings }), async (composer) => {
      await crashFirst({ pod: await startPod(suite.containerd(), SECRET) });
      await composer.zips(1);
      const zip = await openZipOf("secret", composer.coreDir, composer.folder);
      expect(zip.info).toMatchObject({ podname: "secret", uid: 1000, dumpable: 2 });
      await check(zip);
    }),
  );
}

secretTest(
  "a process that is not dumpable keeps its /proc files to itself, and so does its neighbour",
  {},
  async (zip) => {
    expect(zip.suffixes.filter((suffix) => suffix.includes("proc/"))).toEqual([]);
    const why = zip.info.missing.map((missing) => `${missing.what}: ${missing.why}`);
    expect(why).toContain("crash-proc: process is not dumpable (%d is 2)");
    expect(why.some((line) => /^\d-proc: process \d+ is not dumpable$/.test(line))).toBe(true);
  },
);

secretTest(
  "unless the owner asks for them",
  { INCLUDE_UNDUMPABLE_PROC_INFO: true },
  async (zip) => {
    expect(zip.info.missing).toEqual([]);
    expect(await zip.text("-crash-proc/cmdline")).toBe(argv("/bin/secret", "talk", "1"));
    expect(zip.suffixes).toContain("-0-proc/environ");
    expect(zip.suffixes).toContain("-1-proc/environ");
  },
);
