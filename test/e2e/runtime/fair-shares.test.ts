// Tenants with no rights at all, one of them hostile: however many workloads it makes, what gives way on a full
// disk, and what a crash loop leaves out, is its own.
import { expect } from "bun:test";
import { APP_IMAGE, SHELL_IMAGE } from "../../support/containerd.ts";
import { withComposer, type InstalledComposer } from "../../support/installed-composer.ts";
import { judgeZips } from "../../support/many-zips.ts";
import { startPod, type RunningPod } from "../../support/pods.ts";
import { crashFirst, runtimeSuite } from "../../support/runtime-suite.ts";
import { withSmallDisk } from "../../support/small-disk.ts";

const suite = runtimeSuite();
const COPIES = 16;
const UID = 65_534;

/** A pod whose container, as a user without capabilities, waits for scripts. */
async function startShell(namespace: string): Promise<(script: string) => Promise<void>> {
  const args = ["-c", "exec sleep 3600"];
  const container = { name: "shell", image: SHELL_IMAGE, args, uid: UID };
  const pod = await startPod(suite.containerd(), {
    name: namespace,
    namespace,
    containers: [container],
  });
  return async (script) => {
    const cmd = ["sh", "-c", script];
    const request = { containerId: pod.containers[0]?.id, cmd, timeout: 60 };
    await suite.containerd().cri.call("ExecSync", request);
  };
}

const startVictim = (): Promise<RunningPod> =>
  startPod(suite.containerd(), {
    name: "victim",
    namespace: "victim",
    containers: [1, 2, 3].map((at) => ({
      name: `app-${at}`,
      image: APP_IMAGE,
      args: ["talk", "1", "3"],
      uid: UID,
    })),
  });

/** Copies of one program under names of their own crash, one after the other. */
const crashCopies = `
  for i in $(seq ${COPIES}); do
    mkdir /tmp/$i && cp /bin/sh /tmp/$i/sh
    /tmp/$i/sh -c 'x=$(head -c 1000000 /dev/urandom | base64); kill -11 $$'
  done; exit 0`;

async function crashAll(victim: RunningPod, composer: InstalledComposer): Promise<void> {
  for (const [at, container] of victim.containers.entries()) {
    await crashFirst({ pod: { ...victim, containers: [container] } });
    await composer.zips(at + 1);
  }
}

suite.test("copies of a program under many paths evict none of a neighbour's dumps", async () => {
  const victim = await startVictim();
  const mallory = await startShell("mallory");
  await withSmallDisk("64m", async (CORE_DIR) => {
    const limits = { DISK_QUOTA: "20M", DISK_FREE: "0", DISK_RESERVE: "0" };
    await withComposer(suite.settings({ CORE_DIR, ...limits }), async (composer) => {
      await crashAll(victim, composer);
      await mallory(crashCopies);
      await composer.settledFiles();
      const log = await composer.log();
      const evicted = log.filter(({ event }) => event === "dump_evicted");
      expect(evicted.length).toBeGreaterThan(2);
      expect(new Set(evicted.map(({ namespace }) => namespace))).toEqual(new Set(["mallory"]));
      const zips = Object.values(await judgeZips(CORE_DIR));
      const victims = zips.filter(({ info }) => info["namespace"] === "victim");
      expect(victims.map(({ info }) => info["core_complete"])).toEqual([true, true, true]);
      expect(zips.length + evicted.length).toBe(victims.length + COPIES);
    });
  });
});

suite.test(
  "they leave no more dumps than their namespace may, and a neighbour all of its",
  async () => {
    const victim = await startVictim();
    const mallory = await startShell("mallory");
    const limits = { CRASH_LOOP_LIMIT: 4, CRASH_LOOP_NAMESPACE_LIMIT: 6 };
    await withComposer(suite.settings(limits), async (composer) => {
      await mallory(crashCopies);
      await composer.zips(6);
      await crashAll(victim, { ...composer, zips: (count) => composer.zips(6 + count) });
      await composer.settledFiles();
      const zips = Object.values(await judgeZips(composer.coreDir));
      const count = (name: string) => zips.filter(({ info }) => info["namespace"] === name).length;
      expect({ mallory: count("mallory"), victim: count("victim") }).toEqual({
        mallory: 6,
        victim: 3,
      });
      const suppressed = (await composer.log()).filter(({ event }) => event === "dump_suppressed");
      expect(suppressed.map(({ by, namespace }) => [by, namespace].join(" "))).toEqual(
        Array<string>(COPIES - 6).fill("namespace mallory"),
      );
    });
  },
);
