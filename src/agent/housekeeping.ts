// What CORE_DIR needs from time to time, uploads or not: dumps of killed composers sealed, limits held.
import { join } from "node:path";
import { EVICTION_LOCK } from "../model/host-file.ts";
import type { AgentSettings } from "../config/agent-settings.ts";
import { makeRoom, measureRoom } from "../host/disk-room.ts";
import type { Log } from "../host/log.ts";
import type { AgentMetrics } from "./agent-metrics.ts";
import { countEvicted } from "./composer-events.ts";
import { pollUntil } from "./poll.ts";
import { openRecovery } from "./recovery/recover.ts";

export interface HousekeepingContext {
  settings: AgentSettings;
  metrics: AgentMetrics;
  log: Log;
  signal: AbortSignal;
  /** Asks for a sweep: there is something new to deliver. */
  request: (reason: string) => void;
}

export interface Housekeeping {
  /** What must be in order before the first sweep; quick. */
  prepare(): Promise<void>;
  /** Again and again; settles after the signal. */
  untilStopped(): Promise<void>;
}

const EVERY_MS = 10_000;

export function openHousekeeping({
  settings,
  metrics,
  log,
  signal,
  request,
}: HousekeepingContext): Housekeeping {
  const { CORE_DIR, HOST_DIR, composer } = settings;
  const recovery = openRecovery(CORE_DIR, log);
  const limits = { quota: composer.DISK_QUOTA, free: composer.DISK_FREE };
  const lockPath = join(HOST_DIR, EVICTION_LOCK);
  let noRoomSaid = false;

  async function runNow(): Promise<void> {
    const recovered = await recovery.run();
    if (recovered > 0) {
      metrics.recovered.add(recovered);
      request("recovered");
    }
    await holdLimits();
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
    prepare: () => recovery.clearPublished(),
    // The first turn may take a while, with a large core to seal: nothing else waits for it.
    untilStopped: async () => pollUntil(signal, EVERY_MS, "housekeeping", log, runNow),
  };
}
