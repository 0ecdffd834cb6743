// One pass over CORE_DIR: every finished dump is handed to delivery, the oldest of each namespace in turn, small ones
// side by side (lanes.ts). A dump that
// cannot be delivered does not delay the others, nor does a namespace with thousands of them. Delivery handles each
// dump.
import { lstat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { AppError, describeError } from "../../model/app-error.ts";
import { kindOfCoreFile } from "../../model/core-file.ts";
import { Turns } from "../../model/turns.ts";
import type { Log } from "../../host/log.ts";
import { readDumpOwner } from "../../host/stored-dumps.ts";
import type { Delivery, DeliveryOutcome } from "../delivery/delivery.ts";
import { Lanes } from "./lanes.ts";
import { listFinishedDumps, listNames, type FinishedDump } from "../../host/core-dir.ts";

const BUSY_RETRY_MS = 2_000;
/** After how long the folder is listed again, in ms, so that a new dump gets its namespace's turn. */
const LISTING_MAX_MS = 10_000;
/**
 * When to try a zip again that its composer still holds, in ms: the composer closes it some milliseconds after the
 * publication, and the file event comes before that.
 */
const PUBLISHED_RETRY_MS = 100;
const JUST_PUBLISHED_MS = 10_000;

/** What a sweep did, in numbers of dumps. */
export interface SweepReport {
  delivered: number;
  /** Dumps that another process holds. */
  busy: number;
  /** Dumps that failed before and whose next attempt is not due. */
  waiting: number;
  failed: number;
  /** When the first of the undelivered dumps is due again, in ms since the epoch. */
  nextRetryMs: number | undefined;
}

/** What a sweep needs. */
export interface SweepContext {
  coreDir: string;
  delivery: Delivery;
  log: Log;
  /** Aborts when the program must stop: the upload under way ends, and the other dumps wait. */
  signal: AbortSignal;
  /** Tries every dump now and ignores its backoff, because somebody asked for this sweep. */
  ignoreBackoff?: boolean;
  listingMaxMs?: number;
}

/** Sweeps CORE_DIR once. Throws AppError "configuration" for settings that name no store. */
export async function sweepFolder(context: SweepContext): Promise<SweepReport> {
  await reclaimUploads(context);
  const { coreDir, signal, listingMaxMs = LISTING_MAX_MS } = context;
  const sweep = openSweep(context);
  const turns = new Turns();
  const lanes = new Lanes();
  while (!signal.aborted) {
    const listedMs = performance.now();
    const due = sweep
      .dueOf(await listFinishedDumps(coreDir))
      .map(({ path, modifiedMs, sizeBytes }) => ({
        path,
        sizeBytes,
        sinceMs: modifiedMs,
        namespace: readDumpOwner(path).namespace,
      }));
    if (due.length === 0) break;
    for (const { path, namespace, sizeBytes } of turns.order(due)) {
      await lanes.room(sizeBytes);
      if (signal.aborted) break;
      turns.take(namespace);
      lanes.start(sizeBytes, () => sweep.deliver(path));
      if (performance.now() - listedMs > listingMaxMs) break;
    }
    await lanes.idle();
  }
  return sweep.report;
}

/**
 * Delivers one dump, by its path or its name in CORE_DIR. Throws AppError "usage" for a file that is no finished dump.
 */
export async function sweepFile(file: string, context: SweepContext): Promise<SweepReport> {
  const path = file.includes("/") ? resolve(file) : resolve(context.coreDir, file);
  const found = await lstat(path).catch((cause: unknown) => {
    throw new AppError("usage", `cannot find the dump ${path}`, { cause });
  });
  if (!found.isFile() || kindOfCoreFile(basename(path)) !== "dump")
    throw new AppError("usage", `${path} is no finished dump`, {
      hint: "a finished dump is a regular file whose name ends in .zip and does not begin with a dot",
    });
  const sweep = openSweep(context);
  await sweep.deliver(path);
  return sweep.report;
}

/** Logs the files of CORE_DIR that no sweep delivers, because the ancestor's delivered whatever lay there. */
export async function tellForeignFiles(coreDir: string, log: Log): Promise<void> {
  for (const name of await listNames(coreDir))
    if (kindOfCoreFile(name) === "foreign")
      log.warn("foreign_file", { path: resolve(coreDir, name), hint: "not delivered, no zip" });
}

interface Sweep {
  report: SweepReport;
  /** Returns whether the dump was delivered. Never rejects. */
  deliver(path: string): Promise<boolean>;
  /**
   * Returns the listed dumps without those that this sweep has delivered or must try later. Forgets dumps that are not
   * listed.
   */
  dueOf(listed: readonly FinishedDump[]): FinishedDump[];
}

function openSweep(context: SweepContext): Sweep {
  const { delivery, log, signal, ignoreBackoff = false, listingMaxMs = LISTING_MAX_MS } = context;
  const report: SweepReport = {
    delivered: 0,
    busy: 0,
    waiting: 0,
    failed: 0,
    nextRetryMs: undefined,
  };
  /** When each dump was tried (performance.now), and when an undelivered one is due again (ms since the epoch). */
  const tried = new Map<string, { triedMs: number; retryAtMs: number | undefined }>();

  async function deliver(path: string): Promise<boolean> {
    const outcome = await delivery.deliver(path, signal, { ignoreBackoff }).catch(unexpected);
    report[outcome.kind] += 1;
    if (outcome.kind === "failed")
      log.error("delivery_failed", {
        file: basename(path),
        error: describeError(outcome.error),
        retry_at: new Date(outcome.retryAtMs).toISOString(),
      });
    const retryAtMs = await retryAt(outcome, path);
    tried.set(path, { triedMs: performance.now(), retryAtMs });
    if (retryAtMs !== undefined)
      report.nextRetryMs = Math.min(report.nextRetryMs ?? Infinity, retryAtMs);
    return outcome.kind === "delivered";
  }

  function isDue({ path }: FinishedDump): boolean {
    const before = tried.get(path);
    if (before === undefined) return true;
    if (before.retryAtMs === undefined || before.retryAtMs > Date.now()) return false;
    // Uses the monotonic clock too, so that a changed clock cannot make a dump spin.
    return performance.now() - before.triedMs > listingMaxMs;
  }

  function dueOf(listed: readonly FinishedDump[]): FinishedDump[] {
    const paths = new Set(listed.map(({ path }) => path));
    for (const path of tried.keys()) if (!paths.has(path)) tried.delete(path);
    return listed.filter(isDue);
  }

  return { report, deliver, dueOf };
}

/** Returns when a dump is due again, in ms since the epoch. */
async function retryAt(outcome: DeliveryOutcome, path: string): Promise<number | undefined> {
  if (outcome.kind === "delivered") return undefined;
  if (outcome.kind !== "busy") return outcome.retryAtMs;
  // The publication's link(2) sets the inode's time. Another agent holds a zip that is older.
  const published = await lstat(path).catch(() => undefined);
  const nowMs = Date.now();
  const isNew = published !== undefined && nowMs - published.ctimeMs < JUST_PUBLISHED_MS;
  return nowMs + (isNew ? PUBLISHED_RETRY_MS : BUSY_RETRY_MS);
}

/** Frees the uploads of vanished dumps. They cost only space at the store, so a failure stops no dump. */
async function reclaimUploads({ coreDir, delivery, log, signal }: SweepContext): Promise<void> {
  try {
    const reclaimed = await delivery.reclaim(coreDir, signal);
    if (reclaimed > 0) log.info("uploads_reclaimed", { count: reclaimed });
  } catch (error) {
    log.warn("uploads_not_reclaimed", { error: describeError(error) });
  }
}

/** Turns an unexpected error into an outcome, so that the other dumps still get their turn. */
function unexpected(error: unknown): DeliveryOutcome {
  return { kind: "failed", error, retryAtMs: Date.now() + 60_000 };
}
