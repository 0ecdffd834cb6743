// `crash-test`: crashes a child on purpose and follows its dump until it has left the node, as `helm test` does in a
// pod of its own. It does not ask the store: the agent deletes a dump only after it has seen the whole object there.
// It reads the node's HOST_DIR and CORE_DIR.
import { hostname } from "node:os";
import { join } from "node:path";
import { AppError } from "../../model/app-error.ts";
import { isCrashEnd, parseCrashRecord, type CrashRecord } from "../../model/crash-record.ts";
import { CORE_PATTERN } from "../../model/sysctls.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { withCoreAllowed } from "../../host/core-limit.ts";
import { exists } from "../../host/files.ts";
import { readComposerLines } from "../../host/lost-crash.ts";
import type { Log } from "../../host/log.ts";
import { readSysctl } from "../../host/sysctl.ts";
import { uploadsAreOn } from "../../config/schedule-settings.ts";

/** What the test needs. */
export interface CrashTestContext {
  settings: AgentSettings;
  timeoutMs: number;
  log: Log;
  /** Crashes a process whose host name is `host`. */
  crash?: () => Promise<void>;
  host?: string;
  pollMs?: number;
}

/** SIGQUIT, because the doctor's canary, which may crash at the same time, ends by another signal. */
const VICTIM_SIGNAL = 3;

/** The tolerance between two readings of the clock, in ms. Both come from one kernel, so it covers only rounding. */
const CLOCK_SLACK_MS = 2_000;

/** Runs the test. Throws AppError "host" that says how far the dump came. */
export async function runCrashTest(context: CrashTestContext): Promise<void> {
  const { settings, timeoutMs, log, crash = crashChild, host = hostname(), pollMs = 500 } = context;
  const startedMs = Date.now();
  const until = async <T>(what: string, probe: () => Promise<T | undefined>): Promise<T> => {
    for (;;) {
      const found = await probe();
      if (found !== undefined) return found;
      if (Date.now() - startedMs > timeoutMs) throw await stuck(what, settings);
      await Bun.sleep(pollMs);
    }
  };
  await crash();
  log.info("crash_test_crashed", { host });

  const started = await until("no composer was started for it", async () =>
    (await readRecords(settings.HOST_DIR)).find(
      (record): record is Extract<CrashRecord, { event: "dump_started" }> =>
        record.event === "dump_started" &&
        record.hostname === host &&
        record.signal === VICTIM_SIGNAL &&
        Date.parse(record.time) >= startedMs - CLOCK_SLACK_MS,
    ),
  );
  const ended = await until("its dump was not finished", async () =>
    (await readRecords(settings.HOST_DIR))
      .filter(isCrashEnd)
      .find(({ uuid }) => uuid === started.uuid),
  );
  if (ended.event !== "dump_published")
    throw new AppError("host", `the composer did not publish the dump: ${JSON.stringify(ended)}`);
  const { zip } = ended;
  log.info("crash_test_published", { zip, complete: ended.core_complete === true });
  if (!uploadsAreOn(settings)) {
    log.info("crash_test_passed", { zip, delivered: false, because: "uploads are off" });
    return;
  }
  await until(`${zip} was not delivered`, async () =>
    (await exists(join(settings.CORE_DIR, zip))) ? undefined : true,
  );
  log.info("crash_test_passed", { zip, delivered: true, stays_in_store: zip });
}

/** Crashes this program again as the victim: it needs no shell, and its core has a realistic size. */
async function crashChild(): Promise<void> {
  // Services start with a core limit of 0, with which there would be no core in file mode.
  const child = withCoreAllowed(() =>
    Bun.spawn([process.execPath, "crash-test", "--victim"], { stdio: [null, null, null] }),
  );
  await child.exited;
  if (child.signalCode === null)
    throw new AppError("host", `the victim did not crash: exit code ${child.exitCode}`);
}

/** Ends this process by a signal that dumps core and that Bun leaves alone. */
export function crashSelf(): never {
  process.kill(process.pid, "SIGQUIT");
  throw new AppError("host", "SIGQUIT did not end this process");
}

async function readRecords(hostDir: string): Promise<CrashRecord[]> {
  return (await readComposerLines(hostDir)).flatMap((line) => parseCrashRecord(line) ?? []);
}

async function stuck(what: string, settings: AgentSettings): Promise<AppError> {
  const pattern = await readSysctl("/proc", CORE_PATTERN).catch(() => "unreadable");
  return new AppError("host", what, {
    hint: `core_pattern is ${JSON.stringify(pattern)}; the agent's log on this node says more (HOST_DIR ${settings.HOST_DIR})`,
  });
}
