// File capture (CAPTURE_MODE=file): finds the cores that the kernel wrote into containers, zips each and removes it.
// inotify and containerd name the directories to look at, so that no disk is searched.
import { describeError } from "../../model/app-error.ts";
import { CORE_FILE_DIRECTORY } from "../../model/core-file-pattern.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { LastingStates } from "../../host/lasting-states.ts";
import type { Log } from "../../host/log.ts";
import type { AgentMetrics } from "../metrics/agent-metrics.ts";
import { isCanaryUnderWay } from "../canary/canary-crash.ts";
import { pause } from "../../host/timer.ts";
import { composeCore } from "./composing.ts";
import { Containers } from "./containers.ts";
import { CoreQueue, fileOf } from "./core-queue.ts";
import { EndedContainers } from "./ended-containers.ts";
import type { FoundCore } from "./found-core.ts";
import { HarvestState } from "./harvest-state.ts";
import { findOwner, namespaceOf } from "./owner.ts";
import { SpotTable } from "./spot-table.ts";
import { Watches } from "./watches.ts";

/** What the harvest needs. */
export interface HarvestContext {
  settings: AgentSettings;
  metrics: Pick<AgentMetrics, "coreFiles" | "coreFilesWaiting" | "coresNotLeft">;
  log: Log;
  signal: AbortSignal;
  /** The executable that runs as the composer; this program's own by default. */
  executable?: string;
  /** The path of the host's /tmp from here; "" where there is none. */
  hostTmp?: string;
}

/** The harvest of one node. */
export interface Harvest {
  /** Works until the signal, and then gives running composers some time to finish. */
  run(): Promise<void>;
}

const TURN_MS = 200;
/** How long after a change to refresh, in ms, because several containers of a pod start together. */
const REFRESH_SOON_MS = 200;
/** How often to refresh without an event, in ms: an event may be lost, or containerd's tasks cannot be watched. */
const REFRESH_EVERY_MS = 15_000;
const REFRESH_UNWATCHED_MS = 2_000;
/** How often every spot is looked at as a whole, in ms, with or without events of inotify. */
const LOOK_EVERY_MS = 60_000;
const LOOK_UNWATCHED_MS = 5_000;
const STOP_MAX_MS = 20_000;

/** Opens the harvest; run() starts it. */
export function openHarvest(context: HarvestContext): Harvest {
  return {
    run: async () => {
      const state = await HarvestState.open(context.settings.HOST_DIR);
      await new Harvester(context, state).run();
    },
  };
}

/**
 * The host's /tmp holds the cores of processes outside containers, and those of undumpable ones (suid_dumpable=2: the
 * kernel resolves the pattern in its own root for them). The chart mounts it beside /host/proc.
 */
function hostTmpOf({ POD_NAME }: AgentSettings): string {
  return POD_NAME === "" ? CORE_FILE_DIRECTORY : `/host${CORE_FILE_DIRECTORY}`;
}

class Harvester {
  private readonly context: HarvestContext;
  private readonly state: HarvestState;
  private readonly containers: Containers;
  private readonly watches: Watches;
  private readonly queue: CoreQueue;
  private readonly spots: SpotTable;
  private readonly ended: EndedContainers;
  private readonly failures = new LastingStates();
  private refreshing: Promise<void> | undefined;
  private refreshAtMs = 0;
  private lookAtMs = 0;
  /** False where the owner of a plain host has turned containers off, so that only the host's own /tmp counts. */
  private readonly hasContainers: boolean;

  constructor(context: HarvestContext, state: HarvestState) {
    const { settings, log, metrics, executable = process.execPath } = context;
    this.context = context;
    this.state = state;
    this.hasContainers = settings.POD_NAME !== "" || !settings.composer.IGNORE_CRIO;
    this.containers = new Containers(settings.CRIO_ENDPOINT);
    this.watches = Watches.open((error) => {
      if (this.failures.isNews("watch", describeError(error)))
        log.error("core_watch_failed", { error: describeError(error) });
    });
    this.queue = new CoreQueue({
      log,
      compose: async (core, input, keepsCut) => {
        const owner = await findOwner(core, () => this.refresh());
        return composeCore({ settings, executable }, core, input, owner, keepsCut);
      },
      onTaken: (core, isRemoved) => this.noteTaken(core, isRemoved),
      onRefused: ({ spot, name, key }, why) => this.spots.refuse(spot, name, key, why),
      onFailed: () => metrics.coreFiles.add(1, { outcome: "failed" }),
      onLeft: (core) => {
        metrics.coreFiles.add(1, { outcome: "left" });
        this.noteLeft(core);
      },
    });
    const [watches, queue] = [this.watches, this.queue];
    const isCanary = (exeName: string) => isCanaryUnderWay(settings.HOST_DIR, exeName);
    this.spots = new SpotTable({ watches, queue, state, isCanary, metrics, log });
    const look = (id: string) => this.spots.lookAtContainer(id);
    this.ended = new EndedContainers({ state, metrics, log, look });
  }

  async run(): Promise<void> {
    const { settings, metrics, log, signal, hostTmp = hostTmpOf(settings) } = this.context;
    if (hostTmp !== "") this.spots.addDirectory(hostTmp);
    while (!signal.aborted) {
      try {
        this.turn(Date.now());
        this.failures.end("turn");
      } catch (error) {
        if (this.failures.isNews("turn", describeError(error)))
          log.error("harvest_failed", { error: describeError(error) });
      }
      metrics.coreFilesWaiting.set(this.queue.size);
      await pause(TURN_MS, signal);
    }
    const patience = new AbortController();
    await Promise.race([this.queue.settled(), pause(STOP_MAX_MS, patience.signal)]);
    patience.abort();
    this.queue.close();
    this.watches.close();
    await this.save();
  }

  private turn(nowMs: number): void {
    const seen = this.watches.turn();
    for (const [spot, names] of seen.names) this.spots.find(spot, names);
    for (const spot of seen.stale) this.spots.look(spot);
    if (nowMs >= this.lookAtMs) {
      this.lookAtMs = nowMs + (this.watches.isWatching ? LOOK_EVERY_MS : LOOK_UNWATCHED_MS);
      this.spots.lookEverywhere();
    }
    if (seen.containersChanged)
      this.refreshAtMs = Math.min(this.refreshAtMs, nowMs + REFRESH_SOON_MS);
    if (this.hasContainers && nowMs >= this.refreshAtMs && this.refreshing === undefined)
      void this.refresh();
    this.ended.turn(nowMs);
    this.queue.turn(nowMs);
  }

  /**
   * Refreshes beside the turns, so that a runtime that hangs does not delay the holding of a core. Awaits a refresh
   * that is under way first, because that may have asked too early. Never throws.
   */
  private async refresh(): Promise<void> {
    await this.refreshing;
    this.refreshing ??= this.ask().finally(() => (this.refreshing = undefined));
    await this.refreshing;
  }

  private async ask(): Promise<void> {
    const { log, signal } = this.context;
    this.refreshAtMs = Date.now() + REFRESH_EVERY_MS;
    try {
      const { added, exited, gone } = await this.containers.refresh(signal);
      if (signal.aborted) return;
      const { tasksDir } = this.containers;
      const watch = tasksDir === undefined ? "missing" : this.watches.watchTasks(tasksDir);
      if (watch === "began") this.refreshAtMs = 0;
      if (watch === "missing") this.refreshAtMs = Date.now() + REFRESH_UNWATCHED_MS;
      for (const record of added) this.spots.addContainer(record);
      for (const record of exited) {
        this.spots.lookAtContainer(record.id);
        this.ended.note(record, Date.now());
      }
      for (const record of gone) {
        this.ended.judge(record);
        this.spots.removeContainer(record);
      }
      this.failures.end("runtime");
      await this.save();
    } catch (error) {
      if (!signal.aborted && this.failures.isNews("runtime", describeError(error)))
        log.error("harvest_runtime_failed", { error: describeError(error) });
    }
  }

  private noteTaken(core: FoundCore, isRemoved: boolean): void {
    this.context.metrics.coreFiles.add(1, { outcome: "taken" });
    if (!isRemoved) return this.noteLeft(core);
    this.context.log.info("core_file_taken", { file: fileOf(core) });
    void this.save();
  }

  private noteLeft(core: FoundCore): void {
    this.state.noteLeft(namespaceOf(core.owners), core.key);
    void this.save();
  }

  private async save(): Promise<void> {
    try {
      await this.state.save(this.containers.ids);
      this.failures.end("state");
    } catch (error) {
      if (this.failures.isNews("state", describeError(error)))
        this.context.log.error("harvest_state_failed", { error: describeError(error) });
    }
  }
}
