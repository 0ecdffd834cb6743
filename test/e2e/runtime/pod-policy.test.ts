// What a pod's annotations ask for, through a real containerd: followed within the cluster's settings, and otherwise
// ignored with a word about it in dump-info.
import { expect } from "bun:test";
import { APP_IMAGE } from "../../support/containerd.ts";
import { withComposer, type InstalledComposer } from "../../support/installed-composer.ts";
import { openZipOf, type OpenedZip } from "../../support/opened-zip.ts";
import { startPod } from "../../support/pods.ts";
import { crashFirst, runtimeSuite } from "../../support/runtime-suite.ts";

const suite = runtimeSuite();
const PREFIX = "core-dump-handler/";

/** Starts a pod with these annotations and lets it crash. */
async function crashPod(annotations: Record<string, string>): Promise<void> {
  const pod = await startPod(suite.containerd(), {
    name: "worker",
    namespace: "team-blue",
    annotations: Object.fromEntries(
      Object.entries(annotations).map(([name, value]) => [PREFIX + name, value]),
    ),
    containers: [{ name: "app", image: APP_IMAGE, args: ["talk", "1"] }],
  });
  await crashFirst({ pod });
}

async function dumpOf(composer: InstalledComposer): Promise<OpenedZip> {
  await composer.zips(1);
  return openZipOf("app", composer.coreDir, composer.folder);
}

function policyTest(
  name: string,
  annotations: Record<string, string>,
  check: (dump: OpenedZip) => void,
  settings: Record<string, string | number | boolean> = {},
): void {
  suite.test(name, async () => {
    const all = { POD_POLICY: true, MAX_CORE_SIZE: "1Gi", ...settings };
    await withComposer(suite.settings(all), async (composer) => {
      await crashPod(annotations);
      check(await dumpOf(composer));
    });
  });
}

policyTest(
  "a pod gets a core of the stacks, and the priority that it asks for",
  { "core-content": "stacks", priority: "high" },
  ({ info }) =>
    expect(info).toMatchObject({
      core_content: "stacks",
      core_complete: true,
      priority: "high",
      namespace: "team-blue",
      settings_ignored: [],
      missing: [],
    }),
);

policyTest("a pod's size limit cuts its core", { "max-core-size": "20Ki" }, ({ info }) =>
  expect(info).toMatchObject({
    core_content: "full",
    core_bytes: 20480,
    truncated_by: "size_limit",
    priority: "normal",
    settings_ignored: [],
  }),
);

policyTest(
  "a pod that asks for more than the cluster gives is told so",
  { "core-content": "full", "max-core-size": "2Gi", collect: "true" },
  ({ info }) => {
    expect(info).toMatchObject({ core_content: "stacks", core_complete: true });
    expect(info.settings_ignored).toEqual([
      `annotation ${PREFIX}core-content is "full"; the cluster's settings allow stacks`,
      `annotation ${PREFIX}max-core-size is "2Gi"; the cluster's settings allow 1073741824`,
    ]);
  },
  { CORE_CONTENT: "stacks" },
);

policyTest(
  "values that no pod should have are ignored, each with a word about it",
  {
    "core-content": "x".repeat(100_000),
    "max-core-size": "-5",
    collect: 'false\n{"event":"forged"}',
    priority: "urgent\u001b[31m",
  },
  ({ info }) => {
    expect(info).toMatchObject({
      core_content: "full",
      core_complete: true,
      truncated_by: null,
      namespace: "team-blue",
      priority: "normal",
    });
    expect(info.settings_ignored.map((line) => line.slice(0, 60))).toEqual([
      expect.stringContaining(`annotation ${PREFIX}core-content is "xxx`),
      expect.stringContaining(`annotation ${PREFIX}max-core-size is "-5"; expected`),
      expect.stringContaining(`annotation ${PREFIX}collect is "false\\n`),
      expect.stringContaining(`annotation ${PREFIX}priority is "urgent`),
    ]);
  },
);

policyTest(
  "a value of a megabyte is cut off by the runtime's answer, and the dump is whole",
  { "max-core-size": "9".repeat(1 << 20), priority: "low" },
  ({ info }) => expect(info).toMatchObject({ core_complete: true, core_content: "full" }),
);

policyTest(
  "without the owner's word no annotation counts",
  { "core-content": "stacks", collect: "false", priority: "low" },
  ({ info }) =>
    expect(info).toMatchObject({ core_content: "full", priority: null, settings_ignored: [] }),
  { POD_POLICY: false },
);

suite.test("a pod that wants no dump has none, and a line in the log", async () => {
  await withComposer(suite.settings({ POD_POLICY: true }), async (composer) => {
    await crashPod({ collect: "false" });
    while (!(await composer.log()).some(({ event }) => event === "dump_skipped"))
      await Bun.sleep(20);
    const skipped = (await composer.log()).find(({ event }) => event === "dump_skipped");
    expect(skipped).toMatchObject({
      namespace: "team-blue",
      level: "info",
      reason: `the pod's annotation ${PREFIX}collect is false`,
    });
    expect(await composer.settledFiles()).toEqual([]);
  });
});
