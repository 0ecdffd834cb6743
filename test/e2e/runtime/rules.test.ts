// The owner's rules on real pods: what they leave out leaves no trace but one line in the log.
import { expect } from "bun:test";
import { existsSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { APP_IMAGE } from "../../support/containerd.ts";
import { withComposer, type InstalledComposer } from "../../support/installed-composer.ts";
import { startPod } from "../../support/pods.ts";
import { crashFirst, runtimeSuite } from "../../support/runtime-suite.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const suite = runtimeSuite();

interface Rule {
  settings: Record<string, string | number | boolean>;
  /** Undefined where the dump is collected. */
  reason?: string;
}

const RULES: Rule[] = [
  { settings: { POD_SELECTOR_LABEL: "my.org/batch" } },
  { settings: { POD_SELECTOR_LABEL: "my.org/batch=yes", NAMESPACE_INCLUDE: "team-*" } },
  { settings: { POD_SELECTOR_LABEL: "my.org/batch", IGNORE_CRIO: true } },
  { settings: { POD_SELECTOR_LABEL: "my.org/other" }, reason: "POD_SELECTOR_LABEL my.org/other" },
  { settings: { POD_SELECTOR_LABEL: "my.org/batch=no" }, reason: "my.org/batch=no" },
  { settings: { NAMESPACE_INCLUDE: "default,kube-*" }, reason: "NAMESPACE_INCLUDE" },
  { settings: { NAMESPACE_EXCLUDE: "*-blue" }, reason: "namespace team-blue is in" },
  {
    settings: {
      POD_SELECTOR_LABEL: "my.org/batch",
      CRIO_ENDPOINT: "unix:///nonexistent.sock",
      CRI_TIMEOUT: 1,
    },
    reason: "labels cannot be had",
  },
];

for (const { settings, reason } of RULES) {
  const rule = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  const name = `${rule.join(", ")} ${reason === undefined ? "collects" : "skips"} the pod's core`;
  suite.test(name, async () => {
    const pod = await startPod(suite.containerd(), {
      name: "worker",
      namespace: "team-blue",
      labels: { "my.org/batch": "yes" },
      containers: [{ name: "app", image: APP_IMAGE, args: ["talk", "1"] }],
    });
    await withComposer(suite.settings({ ...settings, CORE_EVENTS: true }), async (composer) => {
      await crashFirst({ pod });
      const end = await endOf(composer);
      expect(end["event"]).toBe(reason === undefined ? "dump_published" : "dump_skipped");
      if (reason === undefined) return;
      expect(String(end["reason"])).toContain(reason);
      expect(await composer.settledFiles()).toEqual([]);
      expect(existsSync(join(composer.hostDir, "events"))).toBe(false);
    });
  });
}

suite.test("a runtime that is being restarted is waited for, rather than the core left out", () =>
  withFolder(async (folder) => {
    const pod = await startPod(suite.containerd(), {
      name: "worker",
      namespace: "team-blue",
      containers: [{ name: "app", image: APP_IMAGE, args: ["talk", "1"] }],
    });
    const socket = join(folder, "runtime.sock");
    const rule = { NAMESPACE_EXCLUDE: "kube-system", CRI_TIMEOUT: 30 };
    await withComposer(
      suite.settings({ ...rule, CRIO_ENDPOINT: `unix://${socket}` }),
      async (composer) => {
        await crashFirst({ pod });
        // It is drained long before its pod is known.
        while (existsSync(`/proc/${pod.containers[0]?.pid}/exe`)) await Bun.sleep(20);
        await symlink(suite.containerd().socket, socket);
        expect(await endOf(composer)).toMatchObject({
          event: "dump_published",
          namespace: "team-blue",
          podname: "worker",
          missing: "",
        });
      },
    );
  }),
);

/** What composer.log says in the end of the app's dump; other crashes of the machine are logged too. */
async function endOf(composer: InstalledComposer): Promise<Record<string, unknown>> {
  for (let tries = 0; tries < 400; tries++) {
    const lines = await composer.log().catch(() => []);
    const start = lines.find(({ event, exe }) => event === "dump_started" && exe === "app");
    const end = lines.find(
      ({ event, uuid }) =>
        uuid === start?.["uuid"] && ["dump_published", "dump_skipped"].includes(String(event)),
    );
    if (end !== undefined) return end;
    await Bun.sleep(25);
  }
  throw new Error("no composer came to an end");
}
