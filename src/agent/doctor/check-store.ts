// Checks that the store is reachable and writable, and that its clock is near this node's. Leaves nothing there.
import { describeError } from "../../model/app-error.ts";
import type { StoreProbe } from "../../store/store-port.ts";
import { namesStore, openStoreWriter } from "../../store/open-store.ts";
import { uploadsAreOn } from "../../config/schedule-settings.ts";
import {
  failed,
  failedBy,
  ok,
  skipped,
  warning,
  type CheckContext,
  type CheckResult,
} from "./check.ts";

/** The timeout, which keeps a silent network from delaying the doctor; uploads have STORE_TIMEOUT. */
const TIMEOUT_SECONDS = 5;
/** A store that checks signatures refuses a larger difference (S3: "RequestTimeTooSkewed"). */
const SKEW_MAX_MS = 15 * 60_000;
const SKEW_NOTABLE_MS = 60_000;
const SYNCHRONISE = "synchronise this node's clock (chrony, systemd-timesyncd)";

/** The one probe that both checks use. */
const probes = new WeakMap<CheckContext["earlier"], Promise<StoreProbe>>();

/** Checks that the store is reachable and writable. */
export async function checkStore(context: CheckContext): Promise<CheckResult> {
  if (!expectsStore(context)) return skipped("no uploads are configured: dumps stay on the node");
  try {
    const { name, failure } = await probeOnce(context);
    if (failure === undefined) return ok(`${name}: can be written to`);
    return failedBy(
      failure,
      "check STORE_URL and the other settings of the store (docs/stores.md)",
    );
  } catch (error) {
    return failedBy(error, "check STORE_URL and the other settings of the store (docs/stores.md)");
  }
}

/** Compares the clocks. */
export async function checkClock(context: CheckContext): Promise<CheckResult> {
  if (!expectsStore(context)) return skipped("no store to compare with");
  try {
    return judgeClock((await probeOnce(context)).aheadMs);
  } catch (error) {
    return skipped(`the store told no time: ${describeError(error)}`);
  }
}

/** Judges how far this node's clock is ahead of the store's, in ms; undefined where the store sent no time. */
export function judgeClock(aheadMs: number | undefined): CheckResult {
  if (aheadMs === undefined) return skipped("the store told no time");
  const off = Math.abs(aheadMs);
  const text = `this node's clock is ${formatMinutes(off)} ${aheadMs > 0 ? "ahead of" : "behind"} the store's`;
  if (off > SKEW_MAX_MS) return failed(`${text}: it refuses what is signed by it`, SYNCHRONISE);
  if (off > SKEW_NOTABLE_MS) return warning(text, SYNCHRONISE);
  return ok("within a minute of the store's");
}

function formatMinutes(ms: number): string {
  return `${(ms / 60_000).toFixed(1)} minutes`;
}

function expectsStore({ settings }: CheckContext): boolean {
  return uploadsAreOn(settings) || namesStore(settings);
}

async function probeOnce({ settings, signal, earlier }: CheckContext): Promise<StoreProbe> {
  const probe = probes.get(earlier) ?? probeStore(settings, signal);
  probes.set(earlier, probe);
  return probe;
}

async function probeStore(
  settings: CheckContext["settings"],
  signal: AbortSignal,
): Promise<StoreProbe> {
  const store = await openStoreWriter({ ...settings, STORE_TIMEOUT: TIMEOUT_SECONDS });
  try {
    return await store.probe(signal);
  } finally {
    store.close();
  }
}
