import { expect, test } from "bun:test";
import { closeSync, openSync, statSync } from "node:fs";
import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openAgentMetrics } from "../../../../src/agent/metrics/agent-metrics.ts";
import { CoreQueue } from "../../../../src/agent/harvest/core-queue.ts";
import { HarvestState } from "../../../../src/agent/harvest/harvest-state.ts";
import { SpotTable } from "../../../../src/agent/harvest/spot-table.ts";
import { Watches } from "../../../../src/agent/harvest/watches.ts";
import { containerRecord, coreName } from "../../../support/core-spot.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { sampleCore } from "../../../support/sample-core.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const CANARY = "cdh-0123456789a";

interface Bench {
  folder: string;
  table: SpotTable;
  watches: Watches;
  state: HarvestState;
  log: ReturnType<typeof recordedLog>;
  /** Names of the cores that went to a composer, which never ends, after what inotify saw was looked at. */
  found: () => string[];
  metrics: () => string;
}

function withTable(body: (bench: Bench) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const log = recordedLog();
    const metrics = openAgentMetrics();
    const started: string[] = [];
    const queue = new CoreQueue({
      log,
      compose: (core) => {
        started.push(core.name.toString());
        return new Promise(() => undefined);
      },
      onTaken: () => undefined,
      onRefused: () => undefined,
      onFailed: () => undefined,
      onLeft: () => undefined,
    });
    const watches = Watches.open((error) => {
      throw error;
    });
    const state = await HarvestState.open(folder);
    const isCanary = (exeName: string) => exeName === CANARY;
    const table = new SpotTable({ watches, queue, state, isCanary, metrics, log });
    const found = () => {
      const seen = watches.turn();
      for (const [spot, names] of seen.names) table.find(spot, names);
      for (const spot of seen.stale) table.look(spot);
      queue.turn();
      return started.map((name) => name.split(".").at(-1) ?? "");
    };
    await body({
      folder,
      table,
      watches,
      state,
      log,
      found,
      metrics: () => metrics.registry.render(),
    });
    watches.close();
  });
}

/** A container whose layer is folder/id. */
async function layerRecord(folder: string, id: string) {
  const upperDir = join(folder, id);
  await mkdir(upperDir, { recursive: true });
  const place = { kind: "layer", upperDir, lowerDirs: [] } as const;
  return { record: containerRecord(id, { place, namespace: id }), tmp: join(upperDir, "tmp") };
}

const put = (directory: string, exe: string) =>
  writeFile(join(directory, coreName(exe)), sampleCore(500));

test("cores that lie there already, and those that appear in a /tmp that is made later", () =>
  withTable(async ({ folder, table, found, state }) => {
    const [one, two] = [await layerRecord(folder, "one"), await layerRecord(folder, "two")];
    await mkdir(one.tmp);
    await put(one.tmp, "early");
    for (const { record } of [one, two]) table.addContainer(record);
    expect(found()).toEqual(["early~web-0"]);
    await mkdir(two.tmp);
    await put(two.tmp, "late");
    expect(found()).toEqual(["early~web-0", "late~web-0"]);
    expect(state.hasCore("two", 11)).toBe(true);
    expect(state.hasCore("two", 6)).toBe(false);
  }));

test("a /tmp that is replaced is watched anew, and a link in its place is not", () =>
  withTable(async ({ folder, table, found }) => {
    const { record, tmp } = await layerRecord(folder, "one");
    const decoy = join(folder, "decoy");
    for (const directory of [tmp, decoy]) await mkdir(directory);
    await put(decoy, "decoy");
    table.addContainer(record);
    await rename(tmp, `${tmp}.old`);
    await symlink(decoy, tmp);
    expect(found()).toEqual([]);
    await put(decoy, "second");
    await put(`${tmp}.old`, "old");
    expect(found()).toEqual([]);
    await rm(tmp);
    await mkdir(tmp);
    await put(tmp, "app");
    expect(found()).toEqual(["app~web-0"]);
  }));

test(
  "a core among more names than inotify can keep is found by looking",
  () =>
    withTable(async ({ folder, table, found }) => {
      const { record, tmp } = await layerRecord(folder, "one");
      await mkdir(tmp);
      table.addContainer(record);
      const limit = await readFile("/proc/sys/fs/inotify/max_queued_events", "utf8");
      for (let n = 0; n <= Number(limit); n++) closeSync(openSync(join(tmp, `noise-${n}`), "w"));
      await put(tmp, "app");
      // Each turn reads a part of what is waiting; the word that the rest was lost comes last.
      for (let turn = 0; found().length === 0 && turn < 1000; turn++);
      expect(found()).toEqual(["app~web-0"]);
    }),
  60_000,
);

test("a volume of two containers is one place; it is left with the last of them", () =>
  withTable(async ({ folder, table, found }) => {
    const path = join(folder, "volume");
    await mkdir(path);
    const place = { kind: "mount", path } as const;
    const [a, b] = [containerRecord("a", { place }), containerRecord("b", { place })];
    for (const record of [a, b]) table.addContainer(record);
    table.removeContainer(a);
    await put(path, "first");
    expect(found()).toEqual(["first~web-0"]);
    table.removeContainer(b);
    await put(path, "second");
    expect(found()).toEqual(["first~web-0"]);
  }));

test("a directory that cannot be seen from here is said once, and why its cores are missing", () =>
  withTable(async ({ table, log }) => {
    for (const id of ["a", "b"]) {
      const record = containerRecord(id, { place: { kind: "mount", path: `/nonexistent/${id}` } });
      table.addContainer(record);
      const why = `/nonexistent/${id} cannot be seen from here`;
      expect(record.place).toEqual({ kind: "none", why });
    }
    expect(log.names()).toEqual(["core_place_unseen"]);
  }));

test("a volume that went with its pod is no directory that cannot be seen", () =>
  withTable(async ({ table, log }) => {
    const place = { kind: "mount", path: "/nonexistent/a" } as const;
    const exit = { exitCode: 0, finishedMs: Date.now() };
    table.addContainer(containerRecord("a", { place, exit }));
    expect(log.names()).toEqual([]);
  }));

test("containerd's tasks are watched as soon as there is a directory of them", () =>
  withTable(async ({ folder, watches }) => {
    const tasks = join(folder, "k8s.io");
    expect(watches.watchTasks(tasks)).toBe("missing");
    await mkdir(tasks);
    expect(watches.watchTasks(tasks)).toBe("began");
    expect(watches.watchTasks(tasks)).toBe("watched");
    expect(watches.turn().containersChanged).toBe(false);
    await mkdir(join(tasks, "id"));
    expect(watches.turn().containersChanged).toBe(true);
    await rm(join(tasks, "id"), { recursive: true });
    expect(watches.turn().containersChanged).toBe(true);
    await rm(tasks, { recursive: true });
    watches.turn();
    expect(watches.watchTasks(tasks)).toBe("missing");
  }));

test("without inotify what lies there is found by looking, and that is said", async () => {
  const failures: unknown[] = [];
  const watches = Watches.open(
    (error) => failures.push(error),
    () => {
      throw new Error("too many");
    },
  );
  expect(watches.isWatching).toBe(false);
  expect(watches.watchTasks("/")).toBe("missing");
  watches.add({ path: "/tmp", isLayer: false, owners: new Map() });
  expect(watches.turn()).toEqual({ names: new Map(), stale: new Set(), containersChanged: false });
  watches.close();
  expect(failures).toHaveLength(1);
});

test("the doctor's canary is the doctor's to take", () =>
  withTable(async ({ folder, table, found }) => {
    const { record, tmp } = await layerRecord(folder, "one");
    await mkdir(tmp);
    await put(tmp, CANARY);
    await put(tmp, "app");
    table.addContainer(record);
    expect(found()).toEqual(["app~web-0"]);
  }));

test("what could not be removed is not taken twice", () =>
  withTable(async ({ folder, table, found, state }) => {
    const { record, tmp } = await layerRecord(folder, "one");
    await mkdir(tmp);
    await put(tmp, "app");
    const { dev, ino, birthtimeNs } = statSync(join(tmp, coreName("app")), { bigint: true });
    state.noteLeft("(host)", `${dev}:${ino}:${birthtimeNs}`);
    table.addContainer(record);
    table.lookEverywhere();
    expect(found()).toEqual([]);
  }));

test("of very many odd files a few are said, and all are counted", () =>
  withTable(async ({ folder, table, log, metrics }) => {
    const { record, tmp } = await layerRecord(folder, "one");
    await mkdir(tmp);
    for (let n = 0; n < 100; n++) await mkdir(join(tmp, coreName(`odd-${n}`)));
    table.addContainer(record);
    table.lookEverywhere();
    expect(log.names()).toEqual(Array.from({ length: 5 }, () => "core_file_refused"));
    expect(metrics()).toContain('core_files_total{outcome="refused"} 100');
  }));
