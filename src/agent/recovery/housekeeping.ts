// The periodic work on CORE_DIR, with or without uploads: seals dumps of killed composers, reports those of which
// nothing is left, and keeps the limits of CORE_DIR and EVENT_DIR.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { partialName } from "../../model/core-file.ts";
import { EVICTION_LOCK } from "../../model/host-file.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { makeRoom, measureRoom } from "../../host/disk-room.ts";
import type { Log } from "../../host/log.ts";
import type { AgentMetrics } from "../metrics/agent-metrics.ts";
import { countEvicted } from "../observe/composer-events.ts";
import { boundEvents, type EventLimits } from "./event-files.ts";
import type { DumpsUnderWay } from "../observe/dumps-under-way.ts";
import { pollUntil } from "../../host/poll.ts";
import { openRecovery } from "./recover.ts";

/** What housekeeping needs. */
export interface HousekeepingContext {
  settings: AgentSettings;
  metrics: AgentMetrics;
  underWay: DumpsUnderWay;
  log: Log;
  signal: AbortSignal;
  /** Requests a sweep, because there is a new dump. */
  request: (reason: string) => void;
  eventLimits?: EventLimits;
}

/** The periodic work. */
export interface Housekeeping {
  /** Repeats the work; settles after the signal. */
  untilStopped(): Promise<void>;
}

const EVERY_MS = 10_000;
const EVENTS_EVERY_MS = 60_000;
/** How long after TIMEOUT a composer without a file or a record counts as ended, in ms. */
const WORDLESS_MS = 60_000;

/** Opens housekeeping; untilStopped() starts it. */
export function openHousekeeping(context: HousekeepingContext): Housekeeping {
  const { settings, metrics, underWay, log, signal, request } = context;
  const { CORE_DIR, HOST_DIR, composer } = settings;
  const recovery = openRecovery(CORE_DIR, log, (uuid) => underWay.end(uuid));
  const limits = { quota: composer.DISK_QUOTA, free: composer.DISK_FREE };
  const lockPath = join(HOST_DIR, EVICTION_LOCK);
  let noRoomSaid = false;
  let nextEventsMs = 0;

  async function runNow(): Promise<void> {
    const recovered = await recovery.run();
    if (recovered > 0) {
      metrics.recovered.add(recovered);
      request("recovered");
    }
    reportUnaccounted(context);
    await holdLimits();
    await holdEvents();
  }

  /** Keeps EVENT_DIR's limits, which needs a look at each of thousands of files. */
  async function holdEvents(): Promise<void> {
    if (performance.now() < nextEventsMs) return;
    nextEventsMs = performance.now() + EVENTS_EVERY_MS;
    await boundEvents(settings.EVENT_DIR, log, context.eventLimits);
  }

  /**
   * Keeps CORE_DIR's limits. Composers do so while they write, but other programs may fill the disk, and the owner may
   * lower a limit.
   */
  async function holdLimits(): Promise<void> {
    if ((await measureRoom(CORE_DIR, limits)).roomBytes >= 0) {
      noRoomSaid = false;
      return;
    }
    const made = await makeRoom(CORE_DIR, limits, { wantedBytes: 0, lockPath }, (evicted) => {
      const { zip, sizeBytes, workload, namespace, ageSeconds } = evicted;
      countEvicted(metrics, namespace ?? "", sizeBytes);
      const fields = { zip, bytes: sizeBytes, workload, namespace, age_s: ageSeconds };
      log.warn("dump_evicted", fields);
    });
    if (made === "busy" || made.roomBytes >= 0 || noRoomSaid) return;
    noRoomSaid = true;
    const hint =
      "new dumps will be cut short: free disk space, or change COMP_DISK_FREE or COMP_DISK_QUOTA";
    log.error("no_room_for_dumps", { missing_bytes: -made.roomBytes, hint });
  }

  return {
    // The first turn may take a while, with a large core to seal, so nothing else waits for it.
    untilStopped: async () => pollUntil(signal, EVERY_MS, "housekeeping", log, runNow),
  };
}

/** Reports once each dump that can have no last record any more. */
function reportUnaccounted({ settings, metrics, underWay, log }: HousekeepingContext): void {
  const hasFile = (uuid: string) => existsSync(join(settings.CORE_DIR, partialName(uuid)));
  const beforeMs = Date.now() - settings.composer.TIMEOUT * 1000 - WORDLESS_MS;
  for (const { uuid, exe, signal } of underWay.takeUnaccounted(beforeMs, hasFile)) {
    metrics.ended.add(1, { outcome: "unaccounted", namespace: "", signal });
    const hint =
      "its composer was killed before the dump had a file, or right behind its publication: out of memory?";
    log.warn("dump_unaccounted", { uuid, exe, signal, hint });
  }
}
