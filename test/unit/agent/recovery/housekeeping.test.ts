import { expect, test } from "bun:test";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openAgentMetrics } from "../../../../src/agent/metrics/agent-metrics.ts";
import { DumpsUnderWay } from "../../../../src/agent/observe/dumps-under-way.ts";
import { openHousekeeping } from "../../../../src/agent/recovery/housekeeping.ts";
import { readAgentSettings } from "../../../../src/config/agent-settings.ts";
import { partialName } from "../../../../src/model/core-file.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const EMPTY_FILE = "11111111-2222-4333-8444-555555555555";

test("a dump is told of whose composer was killed and left an empty file, or none", async () => {
  await withFolder(async (folder) => {
    const settings = readAgentSettings({ HOST_DIR: folder, COMP_DISK_FREE: "0" });
    await mkdir(settings.CORE_DIR, { recursive: true });
    const empty = join(settings.CORE_DIR, partialName(EMPTY_FILE));
    await writeFile(empty, "");
    await utimes(empty, 1, 1);
    const [metrics, underWay, log] = [openAgentMetrics(), new DumpsUnderWay(), recordedLog()];
    const began = (uuid: string, sinceMs: number) =>
      underWay.begin({ uuid, exe: "shop", signal: "11", sinceMs });
    began(EMPTY_FILE, 0);
    began("no-file", 0);
    began("at-work", Date.now());
    const stop = new AbortController();
    const request = () => undefined;
    const context = { settings, metrics, underWay, log, request, signal: stop.signal };
    const running = openHousekeeping(context).untilStopped();
    while (!log.names().includes("dump_unaccounted")) await Bun.sleep(5);
    stop.abort();
    await running;

    expect(log.names()).toEqual(["partial_discarded", "dump_unaccounted"]);
    expect(log.events[1]?.fields).toMatchObject({ uuid: "no-file", exe: "shop", signal: "11" });
    expect(metrics.registry.render()).toContain(
      'dumps_total{outcome="unaccounted",namespace="",signal="11"} 1',
    );
    expect(underWay.end("at-work")).toBeDefined();
  });
});

test("EVENT_DIR is held within its bounds", async () => {
  await withFolder(async (folder) => {
    const settings = readAgentSettings({ HOST_DIR: folder, COMP_DISK_FREE: "0" });
    await mkdir(settings.CORE_DIR, { recursive: true });
    await mkdir(settings.EVENT_DIR, { recursive: true });
    for (let n = 0; n < 20; n++)
      await writeFile(join(settings.EVENT_DIR, `${crypto.randomUUID()}-event.json`), "{}");
    const [metrics, underWay, log] = [openAgentMetrics(), new DumpsUnderWay(), recordedLog()];
    const stop = new AbortController();
    const eventLimits = { count: 10, bytes: 1000 };
    const request = () => undefined;
    const context = { settings, metrics, underWay, log, request, signal: stop.signal, eventLimits };
    const running = openHousekeeping(context).untilStopped();
    while (!log.names().includes("events_removed")) await Bun.sleep(5);
    stop.abort();
    await running;
    expect(await readdir(settings.EVENT_DIR)).toHaveLength(9);
  });
});
