// DUMPS_AT_ONCE: crashes of one namespace that the kernel takes hours to dump have some of the places under
// CORE_PIPE_LIMIT, not all of them.
import { expect } from "bun:test";
import { readFile } from "node:fs/promises";
import { APP_IMAGE } from "../../support/containerd.ts";
import { withComposer, type InstalledComposer } from "../../support/installed-composer.ts";
import { openZipOf } from "../../support/opened-zip.ts";
import { startPod, type RunningPod } from "../../support/pods.ts";
import { crashFirst, runtimeSuite } from "../../support/runtime-suite.ts";

const suite = runtimeSuite();
const [AT_ONCE, CRASHES] = [2, 5];
/** Seconds; the test is through before. */
const TIMEOUT = 60;

async function eventsOf(composer: InstalledComposer, event: string) {
  const lines = await composer.log().catch(() => []);
  return lines.filter((line) => line["event"] === event);
}

async function untilSaid(composer: InstalledComposer, event: string, times: number): Promise<void> {
  while ((await eventsOf(composer, event)).length < times) await Bun.sleep(20);
}

async function untilPublished(composer: InstalledComposer, namespace: string): Promise<void> {
  const isTheirs = (line: Record<string, unknown>) => line["namespace"] === namespace;
  while (!(await eventsOf(composer, "dump_published")).some(isTheirs)) await Bun.sleep(20);
}

/** Processes that are there still, held by the kernel. */
async function childrenOf({ containers }: RunningPod): Promise<number> {
  const pid = containers[0]?.pid ?? 0;
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return list.split(" ").filter((child) => child !== "").length;
}

suite.test(
  "a namespace's dumps that never end leave room for others, and each crash a trace",
  async () => {
    const pod = { image: APP_IMAGE, uid: 1000 };
    const hostile = await startPod(suite.containerd(), {
      name: "hostile",
      namespace: "hostile",
      containers: [
        { ...pod, name: "app", command: ["/bin/hostile"], args: ["vast", String(CRASHES)] },
      ],
    });
    const honest = await startPod(suite.containerd(), {
      name: "honest",
      namespace: "shop",
      containers: [{ ...pod, name: "app", args: ["talk", "1"] }],
    });
    await withComposer(suite.settings({ DUMPS_AT_ONCE: AT_ONCE, TIMEOUT }), async (composer) => {
      try {
        await crashFirst({ pod: hostile });
        await untilSaid(composer, "dump_suppressed", CRASHES - AT_ONCE);
        const suppressed = await eventsOf(composer, "dump_suppressed");
        for (const line of suppressed)
          expect(line).toMatchObject({ namespace: "hostile", by: "at_once", limit: AT_ONCE });
        // What is left out is let go of, whether the kernel notices or not: it would go on for hours.
        while ((await childrenOf(hostile)) > AT_ONCE) await Bun.sleep(20);
        await crashFirst({ pod: honest });
        await untilPublished(composer, "shop");
        const zip = await openZipOf("app", composer.coreDir, composer.folder);
        expect(zip.info).toMatchObject({
          namespace: "shop",
          podname: "honest",
          core_complete: true,
        });
        expect(await eventsOf(composer, "dump_suppressed")).toHaveLength(CRASHES - AT_ONCE);
      } finally {
        // With the first process all others of its pid namespace end, and their dumps with them.
        for (const { pid } of hostile.containers) process.kill(pid, "SIGKILL");
      }
    });
  },
);
