// File capture among hostile containers: what they put where a core would be is left alone, and keeps nobody else's
// core waiting.
import { expect } from "bun:test";
import { closeSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import { mkdir, readdir, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SHELL_IMAGE } from "../../support/containerd.ts";
import { elfHead } from "../../support/elf-head.ts";
import { harvestSuite } from "../../support/harvest-suite.ts";
import type { RunningPod } from "../../support/pods.ts";
import { crashFirst } from "../../support/runtime-suite.ts";
import { sampleCore } from "../../support/sample-core.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const { suite, harvestTest, start, layerOf, coresLeft } = harvestSuite();

/** A name as the kernel would make it, for a forger to choose from. */
const nameOf = (exe: string) => `.cdh-core.1.1.1.11.1790000000.0.0.0.1.${exe}~host`;

/** A container whose root, without any capability, runs this script. */
function startShell(name: string, script = "exec sleep 3600"): Promise<RunningPod> {
  return start(name, { name: "shell", image: SHELL_IMAGE, args: ["-c", script], uid: 0 });
}

async function runIn(pod: RunningPod, script: string): Promise<number> {
  const containerId = pod.containers[0]?.id;
  const request = { containerId, cmd: ["sh", "-c", script], timeout: 20 };
  return Number((await suite.containerd().cri.call("ExecSync", request))["exitCode"]);
}

harvestTest(
  "what is no core is left alone and said, and a core beside it is taken",
  async (harvested) => {
    const pod = await startShell("hostile");
    const script = `
    set -e
    cd /tmp
    ln -s /etc/passwd '${nameOf("link")}'
    mkfifo '${nameOf("fifo")}'
    mkdir '${nameOf("dir")}'
    echo 'no core' > '${nameOf("text")}'
    : > other && ln other '${nameOf("hard")}'
    dd if=/dev/zero of='${nameOf("huge")}' bs=1M count=1 seek=1048575
    : > '.cdh-core.no
pattern'`;
    expect(await runIn(pod, script)).toBe(0);
    expect(await runIn(pod, "kill -11 $$")).toBe(139);
    const [zip] = await harvested.zipsOf({ podname: "hostile" });
    expect(zip?.info).toMatchObject({ exe: "sh", core_complete: true, missing: [] });
    await harvested.says("core_file_taken");
    const refused = () =>
      /core_files_total\{outcome="refused"\} (\d+)/.exec(harvested.metrics())?.[1];
    for (let tries = 0; refused() !== "7" && tries < 400; tries++) await Bun.sleep(25);
    expect(refused()).toBe("7");
    expect(await coresLeft(pod)).toHaveLength(7);
    const refusals = harvested.log.events.filter(({ event }) => event === "core_file_refused");
    // The first ones: a container may make as many as it likes.
    expect(refusals).toHaveLength(5);
  },
);

harvestTest("a process that calls itself as it likes", async (harvested) => {
  const pod = await startShell("renamed");
  expect(await runIn(pod, "printf 'a~b\\n ../x' > /proc/$$/comm; kill -11 $$")).toBe(139);
  const [zip] = await harvested.zipsOf({ podname: "renamed" });
  expect(zip?.info).toMatchObject({ exe: "a~b\n ..!x", hostname: "renamed", uid: 0 });
  await harvested.says("core_file_taken");
  expect(await coresLeft(pod)).toEqual([]);
});

harvestTest(
  "a /tmp that became a link to a directory of the host: nothing there is touched",
  (harvested) =>
    withFolder(async (folder) => {
      const decoy = join(folder, "decoy");
      await mkdir(decoy);
      await writeFile(join(decoy, nameOf("decoy")), sampleCore(1000));
      const crash = "sh -c 'kill -11 $$'";
      const pod = await startShell(
        "linked",
        `rm -rf /tmp; ln -s ${decoy} /tmp; ${crash}; exit 139`,
      );
      const told = await harvested.says("core_not_left", { pod: "linked" });
      expect(told["because"]).toBe("/tmp is a symbolic link, which is not followed");
      expect(await readlink(join(await layerOf(pod), "tmp"))).toBe(decoy);
      expect(await readdir(decoy)).toEqual([nameOf("decoy")]);
      expect(await readdir(harvested.composer.coreDir)).toEqual([]);
    }),
);

harvestTest(
  "a core that is held open for writing waits for that to end, and no other waits for it",
  async (harvested) => {
    await harvested.stop();
    const hold = 'for core in /tmp/.cdh-core.*; do exec 3>>"$core"; done; exec sleep 3600';
    const pod = await startShell("held", `sh -c 'kill -11 $$'; ${hold}`);
    const main = pod.containers[0]?.pid ?? 0;
    for (let tries = 0; !(await readdir(`/proc/${main}/fd`)).includes("3"); tries++) {
      if (tries > 400) throw new Error("the container does not hold its core");
      await Bun.sleep(25);
    }
    harvested.start();
    await crashFirst({ pod: await start("unhindered") });
    await harvested.zipsOf({ podname: "unhindered" });
    expect(await coresLeft(pod)).toHaveLength(1);
    expect(harvested.metrics()).toMatch(/core_files_waiting [12]\n/);
    process.kill(main, "SIGKILL");
    const [zip] = await harvested.zipsOf({ podname: "held" });
    expect(zip?.info).toMatchObject({ exe: "sh", core_complete: true });
  },
);

harvestTest(
  "a forged core of a tebibyte ends at the owner's limit, and no other waits for it",
  async (harvested) => {
    const pod = await startShell("forger");
    // The directory is copied up with the first file in it.
    expect(await runIn(pod, ": > /tmp/x")).toBe(0);
    const path = join(await layerOf(pod), "tmp", nameOf("forged"));
    const head = elfHead({
      bits: 64,
      order: "little",
      segments: [{ offset: 4096, fileBytes: 2 ** 40 }],
    });
    const fd = openSync(path, "wx");
    writeSync(fd, head);
    ftruncateSync(fd, 4096 + 2 ** 40);
    closeSync(fd);
    expect(statSync(path).blocks).toBeLessThan(100);
    await crashFirst({ pod: await start("neighbour") });
    await harvested.zipsOf({ podname: "neighbour" });
    const [zip] = await harvested.zipsOf({ podname: "forger" });
    expect(zip?.info).toMatchObject({ truncated_by: "size_limit", core_bytes: 2 ** 24 });
    await harvested.says("core_file_taken", { file: path });
    expect(await coresLeft(pod)).toEqual([]);
  },
  { MAX_CORE_SIZE: 2 ** 24 },
);
