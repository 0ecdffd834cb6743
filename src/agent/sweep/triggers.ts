// When to sweep (docs/contract.md, section 4): INTERVAL, else SCHEDULE; USE_INOTIFY with either or alone.
// None of them: never, the dumps are somebody else's to fetch.
import { watch } from "node:fs";
import { CronExpressionParser } from "cron-parser";
import { describeError } from "../../model/app-error.ts";
import { kindOfCoreFile } from "../../model/core-file.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { uploadsAreOn } from "../../config/schedule-settings.ts";
import type { Log } from "../../host/log.ts";
import { callAt, callEvery } from "../../host/timer.ts";

export type TriggerSettings = Pick<
  AgentSettings,
  "INTERVAL" | "SCHEDULE" | "TZ" | "USE_INOTIFY" | "CORE_DIR"
>;

export interface TriggerContext {
  settings: TriggerSettings;
  log: Log;
  signal: AbortSignal;
  /** Called for each reason to sweep. */
  request: (reason: string) => void;
}

/** Where an event of the watch was lost (the queue overflowed, the folder was replaced), this finds it. */
const RESCAN_MS = 60_000;
/** Bun watches from a thread of its own: what appears in the first moments may go unseen (1 of 200 tries). */
const WATCH_SETTLED_MS = 2_000;

/** Starts whatever is set, until the signal. The sweep at the start is the caller's. */
export function startTriggers({ settings, log, signal, request }: TriggerContext): void {
  const { INTERVAL, SCHEDULE, TZ, USE_INOTIFY, CORE_DIR } = settings;
  if (INTERVAL > 0 && SCHEDULE !== "")
    log.warn("schedule_ignored", { schedule: SCHEDULE, because: "INTERVAL is set and wins" });
  if (INTERVAL > 0) callEvery(INTERVAL, signal, () => request("interval"));
  else if (SCHEDULE !== "") startSchedule(SCHEDULE, TZ, signal, () => request("schedule"));
  if (USE_INOTIFY) {
    startWatch(CORE_DIR, log, signal, request);
    callAt(Date.now() + WATCH_SETTLED_MS, signal, () => request("rescan"));
    callEvery(RESCAN_MS, signal, () => request("rescan"));
  }
  if (!uploadsAreOn(settings))
    log.warn("uploads_off", { because: "none of INTERVAL, SCHEDULE and USE_INOTIFY is set" });
}

function startSchedule(
  expression: string,
  timeZone: string,
  signal: AbortSignal,
  fire: () => void,
): void {
  const options = timeZone === "" ? {} : { tz: timeZone };
  const next = () => CronExpressionParser.parse(expression, options).next().getTime();
  const arm = () =>
    callAt(next(), signal, () => {
      fire();
      arm();
    });
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
      // That it ends with the signal is told as an AbortError.
      if (!signal.aborted) log.error("watch_failed", { error: describeError(error) });
    });
  } catch (error) {
    // The rescan still sweeps; fs.inotify.max_user_watches is the usual cause.
    log.error("watch_failed", { error: describeError(error) });
  }
}
