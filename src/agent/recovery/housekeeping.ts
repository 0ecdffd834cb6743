// What CORE_DIR needs from time to time, uploads or not: dumps of killed composers sealed, or told of where nothing is
// left to seal; limits held, EVENT_DIR's too.
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

export interface HousekeepingContext {
  settings: AgentSettings;
  metrics: AgentMetrics;
  underWay: DumpsUnderWay;
  log: Log;
  signal: AbortSignal;
  /** Asks for a sweep: there is something new to deliver. */
  request: (reason: string) => void;
  eventLimits?: EventLimits;
}

export interface Housekeeping {
  /** Again and again; settles after the signal. */
  untilStopped(): Promise<void>;
}

const EVERY_MS = 10_000;
const EVENTS_EVERY_MS = 60_000;
/** A composer ends at its TIMEOUT; so much later one without a file or a word is surely gone. */
const WORDLESS_MS = 60_000;

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

  /** A look at each of thousands of files. */
  async function holdEvents(): Promise<void> {
    if (performance.now() < nextEventsMs) return;
    nextEventsMs = performance.now() + EVENTS_EVERY_MS;
    await boundEvents(settings.EVENT_DIR, log, context.eventLimits);
  }

  /** Composers hold them while they write; the disk may also fill by itself, or a limit be lowered. */
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
    // The first turn may take a while, with a large core to seal: nothing else waits for it.
    untilStopped: async () => pollUntil(signal, EVERY_MS, "housekeeping", log, runNow),
  };
}

/** Once for each dump that will have no end any more. */
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
