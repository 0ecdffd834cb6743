// The largest objects that Kubernetes lets a tenant make, all at once and with an unprivileged user: what the composer
// keeps of them is bounded, each entry is valid, what is cut is listed.
import { expect } from "bun:test";
import { join } from "node:path";
import { Containers } from "../../../src/agent/harvest/containers.ts";
import { APP_IMAGE } from "../../support/containerd.ts";
import { composersAtWork, withComposer } from "../../support/installed-composer.ts";
import { openZipOf, type OpenedZip } from "../../support/opened-zip.ts";
import { watchPeak } from "../../support/peak-memory.ts";
import { startPod, type ContainerWish, type PodWish } from "../../support/pods.ts";
import { crashFirst, runtimeSuite } from "../../support/runtime-suite.ts";

const suite = runtimeSuite();

const PEAK_MAX_MIB = 64;
/** collect.ts, ENTRIES_MAX_BYTES; an empty JSON object fits always. */
const BUDGET_BYTES = 1.25 * 2 ** 20 + 100;

/** execve(2): one text has 128 KiB at most, all of them 2 MiB with the usual stack. */
const environment = (character: string, count: number, characters: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`LARGE_${i}`, character.repeat(characters)]),
  );

const container = (name: string, more: Partial<ContainerWish>): ContainerWish => ({
  name,
  image: APP_IMAGE,
  uid: 1000,
  ...more,
});

const LARGE: PodWish = {
  name: "large",
  labels: { app: "large" },
  // TotalAnnotationSizeLimitB of Kubernetes; Go's JSON makes six characters of each of these.
  annotations: { "tenant.example/large": "<".repeat(256 * 1024 - 100) },
  containers: [
    container("app", {
      args: ["talk", "15000", "100"],
      env: environment("x", 14, 120_000),
    }),
    // Its verbose status is 20 MiB: more than containerd sends.
    container("refused", { args: ["talk", "15000"], env: environment("<", 14, 120_000) }),
    container("escaped", { args: ["talk", "15000"], env: environment("<", 8, 120_000) }),
    container("wide", { args: ["talk", "15000"], env: environment("é", 7, 60_000) }),
  ],
};

suite.test(
  "a pod of the largest size takes less than 64 MiB, and what is cut is listed",
  async () => {
    const pod = await startPod(suite.containerd(), LARGE);
    const settings = { INCLUDE_PROC_INFO: true, CORE_EVENTS: true, LOG_LENGTH: 100_000 };
    await withComposer(suite.settings(settings), async (composer) => {
      await crashFirst({ pod });
      let pids: number[] = [];
      while (pids.length === 0) pids = await composersAtWork(join(composer.hostDir, "cdc"));
      const peakMib = watchPeak(pids[0] ?? 0);
      await composer.zips(1);
      const peak = peakMib();
      console.log(`composer with the largest objects: ${peak.toFixed(1)} MiB at most`);
      const zip = await openZipOf("app", composer.coreDir, composer.folder);
      expect(zip.info).toMatchObject({ podname: "large", container_name: "app", uid: 1000 });
      await expectBounded(zip);
      const missing = new Set(zip.info.missing.map(({ what }) => what));
      for (const what of [
        "runtime-info.json",
        "crash-proc/environ",
        `log of ${zip.info.container_index}`,
      ])
        expect(missing).toContain(what);
      const podInfo = await zip.json("-pod-info.json");
      expect(podInfo["annotations"]).toMatchObject(LARGE.annotations ?? {});
      const log = await zip.text(`-${zip.info.container_index}.log`);
      expect(log).toContain("\nready\n");
      expect(peak).toBeLessThan(PEAK_MAX_MIB);
    });
  },
);

/** Every JSON entry is valid, and all entries beside the core are within their budget. */
async function expectBounded(zip: OpenedZip): Promise<void> {
  let sizeBytes = 0;
  for (const suffix of zip.suffixes) {
    if (suffix === ".core" || suffix === "-dump-info.json") continue;
    if (suffix.endsWith(".json")) expect(await zip.json(suffix)).toBeObject();
    // The crasher's own /proc files stand in the zip twice, and in memory once.
    if (!suffix.startsWith("-crash-proc")) sizeBytes += (await zip.bytes(suffix)).length;
  }
  expect(sizeBytes).toBeLessThan(BUDGET_BYTES);
}

suite.test(
  "file capture sees every container beside those that describe themselves at any length",
  async () => {
    const { socket } = suite.containerd();
    // Together longer than any answer that was ever taken whole.
    const annotations = { "tenant.example/large": "x".repeat(500_000) };
    for (let n = 0; n < 9; n++)
      await startPod(suite.containerd(), { name: `hostile-${n}`, annotations, containers: [] });
    const env = environment("<", 8, 120_000);
    const hostile = await startPod(suite.containerd(), {
      name: "hostile",
      annotations,
      containers: [container("app", { env })],
    });
    const honest = await startPod(suite.containerd(), {
      name: "honest",
      containers: [container("app", {})],
    });
    const { added } = await new Containers(`unix://${socket}`).refresh(AbortSignal.timeout(30_000));
    const found = (id = "") => added.find((record) => record.id === id);
    expect(found(honest.containers[0]?.id)).toMatchObject({
      podname: "honest",
      place: { kind: "layer" },
      pod: { metadata: { name: "honest", uid: honest.uid } },
    });
    expect(found(hostile.containers[0]?.id)).toMatchObject({ podname: "hostile" });
  },
);
