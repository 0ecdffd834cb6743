// When to sweep (docs/contract.md, section 4): INTERVAL, else SCHEDULE; USE_INOTIFY with either or alone. Without any
// of them the agent never sweeps, and somebody else fetches the dumps.
import { watch } from "node:fs";
import { describeError } from "../../model/app-error.ts";
import { kindOfCoreFile } from "../../model/core-file.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { readSchedule } from "../../config/cron-schedule.ts";
import { uploadsAreOn } from "../../config/schedule-settings.ts";
import type { Log } from "../../host/log.ts";
import { callAt, callEvery } from "../../host/timer.ts";

/** The settings of the triggers. */
export type TriggerSettings = Pick<
  AgentSettings,
  "INTERVAL" | "SCHEDULE" | "TZ" | "USE_INOTIFY" | "CORE_DIR"
>;

/** What the triggers need. */
export interface TriggerContext {
  settings: TriggerSettings;
  log: Log;
  signal: AbortSignal;
  /** Called for each reason to sweep. */
  request: (reason: string) => void;
}

/**
 * How often to sweep beside the watch, in ms, which may lose an event (the queue overflowed, the folder was replaced).
 */
const RESCAN_MS = 60_000;
/** How many coming times of SCHEDULE the log tells at the start. */
const ANNOUNCED_RUNS = 3;
/**
 * When to sweep after the start of the watch, in ms: Bun watches from another thread and may miss a file of the first
 * moments (1 of 200 tries).
 */
const WATCH_SETTLED_MS = 2_000;

/** Starts the triggers that are set, until the signal. The caller requests the sweep at the start. */
export function startTriggers({ settings, log, signal, request }: TriggerContext): void {
  const { INTERVAL, SCHEDULE, USE_INOTIFY, CORE_DIR } = settings;
  if (INTERVAL > 0 && SCHEDULE !== "")
    log.warn("schedule_ignored", { schedule: SCHEDULE, because: "INTERVAL is set and wins" });
  if (INTERVAL > 0) callEvery(INTERVAL, signal, () => request("interval"));
  else if (SCHEDULE !== "") startSchedule({ settings, log, signal, request });
  if (USE_INOTIFY) {
    startWatch(CORE_DIR, log, signal, request);
    callAt(Date.now() + WATCH_SETTLED_MS, signal, () => request("rescan"));
    callEvery(RESCAN_MS, signal, () => request("rescan"));
  }
  if (!uploadsAreOn(settings))
    log.warn("uploads_off", { because: "none of INTERVAL, SCHEDULE and USE_INOTIFY is set" });
}

/** Requests a sweep at each time of the schedule. Logs the rules it is read by, because two sorts of cron are in use. */
function startSchedule({ settings, log, signal, request }: TriggerContext): void {
  const { SCHEDULE, TZ } = settings;
  const schedule = readSchedule(SCHEDULE, TZ);
  const upcoming = schedule?.nextRuns(ANNOUNCED_RUNS, new Date()) ?? [];
  const next = upcoming.map((run) => run.toISOString()).join(" ");
  log.info("schedule", { schedule: SCHEDULE, dialect: schedule?.dialect ?? "", next });
  const arm = () => {
    const [run] = schedule?.nextRuns(1, new Date()) ?? [];
    if (run === undefined) {
      log.warn("schedule_ended", { schedule: SCHEDULE });
      return;
    }
    callAt(run.getTime(), signal, () => {
      request("schedule");
      arm();
    });
  };
  arm();
}

/** inotify(7) through fs.watch: a dump appears by link(2), which is a "rename" event with its name. */
function startWatch(
  coreDir: string,
  log: Log,
  signal: AbortSignal,
  request: (reason: string) => void,
): void {
  try {
    const watcher = watch(coreDir, { signal }, (_event, name) => {
      if (name === null || kindOfCoreFile(name) === "dump") request("inotify");
    });
    watcher.on("error", (error) => {
      // After the signal the watch ends with an AbortError.
      if (!signal.aborted) log.error("watch_failed", { error: describeError(error) });
    });
  } catch (error) {
    // The rescan still sweeps; fs.inotify.max_user_watches is the usual cause.
    log.error("watch_failed", { error: describeError(error) });
  }
}
