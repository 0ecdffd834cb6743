// File capture at work: the kernel writes cores into containers, and the agent's harvest, in this process, takes them.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { openAgentMetrics } from "../../src/agent/metrics/agent-metrics.ts";
import { openHarvest } from "../../src/agent/harvest/harvest.ts";
import { readAgentSettings } from "../../src/config/agent-settings.ts";
import { FILE_PATTERN } from "../../src/model/core-file-pattern.ts";
import { withCorePattern } from "./borrowed-kernel.ts";
import { executablePath, linkExecutable } from "./executable.ts";
import { composersAtWork, installComposer, type InstalledComposer } from "./installed-composer.ts";
import { openZip, readZipInfo, type OpenedZip } from "./opened-zip.ts";
import { recordedLog, type RecordedLog } from "./recorded-log.ts";
import { withFolder } from "./temporary-folder.ts";

type Settings = Record<string, string | number | boolean>;

export interface Harvested {
  composer: InstalledComposer;
  log: RecordedLog;
  /** The agent's metrics as they are now. */
  metrics: () => string;
  /** Starts the harvest, if it is not at work. */
  start: () => void;
  /** Ends it as SIGTERM does. */
  stop: () => Promise<void>;
  /** Waits for a composer to be there; its pid. */
  composerAtWork: () => Promise<number>;
  /** Waits for the first log line of this event that has these fields. */
  says: (event: string, fields?: Settings) => Promise<Settings>;
  /** The zips whose dump-info has these values, once there are so many. */
  zipsOf: (info: Settings, count?: number) => Promise<OpenedZip[]>;
}

const DEADLINE_MS = 60_000;

/** Runs with the file pattern in the kernel and a harvest of this runtime's containers; the host's own /tmp left alone. */
export function withHarvest<T>(
  settings: Settings,
  body: (harvested: Harvested) => Promise<T>,
): Promise<T> {
  return withFolder(async (folder) => {
    const composer = await installComposer(folder, settings);
    const harvested = await prepare(composer, settings);
    const run = async () => {
      harvested.start();
      try {
        return await body(harvested);
      } finally {
        await harvested.stop();
      }
    };
    return withCorePattern(FILE_PATTERN, run, { suidDumpable: "2" });
  });
}

async function prepare(composer: InstalledComposer, settings: Settings): Promise<Harvested> {
  const { hostDir, coreDir, folder } = composer;
  const path = join(hostDir, "core-dump-handler");
  const executable = await linkExecutable(await executablePath(), path);
  const log = recordedLog();
  const metrics = openAgentMetrics();
  const agentSettings = readAgentSettings({
    HOST_DIR: hostDir,
    CRIO_ENDPOINT: String(settings["CRIO_ENDPOINT"]),
  });
  let running: { controller: AbortController; ended: Promise<void> } | undefined;
  const start = () => {
    if (running !== undefined) return;
    const controller = new AbortController();
    const { signal } = controller;
    const context = { settings: agentSettings, metrics, log, signal, executable, hostTmp: "" };
    running = { controller, ended: openHarvest(context).run() };
  };
  const stop = async () => {
    running?.controller.abort();
    await running?.ended;
    running = undefined;
  };
  const says: Harvested["says"] = async (event, fields = {}) => {
    const found = await until(`the log says ${event} ${JSON.stringify(fields)}`, log, () =>
      log.events.find((line) => line.event === event && matches(line.fields, fields)),
    );
    return found.fields as Settings;
  };
  const zipsOf: Harvested["zipsOf"] = async (info, count = 1) => {
    const find = async () => {
      const names = existsSync(coreDir) ? await readdir(coreDir) : [];
      const paths = names
        .filter((name) => name.endsWith(".zip"))
        .map((name) => join(coreDir, name));
      const infos = await Promise.all(paths.map((zip) => readZipInfo(zip)));
      const wanted = paths.filter((_, index) => matches({ ...infos[index] }, info));
      if (wanted.length < count) return undefined;
      return Promise.all(wanted.map((zip) => openZip(zip, folder)));
    };
    return until(`${count} zips of ${JSON.stringify(info)}`, log, find);
  };
  const composerAtWork = () =>
    until("a composer at work", log, async () => (await composersAtWork(executable))[0]);
  return {
    composerAtWork,
    composer,
    log,
    metrics: () => metrics.registry.render(),
    start,
    stop,
    says,
    zipsOf,
  };
}

function matches(found: Readonly<Record<string, unknown>>, wanted: Settings): boolean {
  return Object.entries(wanted).every(([key, value]) => found[key] === value);
}

async function until<T>(
  what: string,
  log: RecordedLog,
  probe: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const endMs = Date.now() + DEADLINE_MS;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > endMs)
      throw new Error(`not within a minute: ${what}; said: ${JSON.stringify(log.events)}`);
    await Bun.sleep(25);
  }
}
