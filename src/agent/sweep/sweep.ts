// One pass over CORE_DIR: every finished dump is handed to delivery, the oldest of each namespace in turn. A dump that
// cannot be delivered does not hold up the others, nor does a namespace with thousands of them. What happens to one
// dump is delivery's business.
import { lstat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { AppError, describeError } from "../../model/app-error.ts";
import { kindOfCoreFile } from "../../model/core-file.ts";
import { Turns } from "../../model/turns.ts";
import type { Log } from "../../host/log.ts";
import { readDumpOwner } from "../../host/stored-dumps.ts";
import type { Delivery, DeliveryOutcome } from "../delivery/delivery.ts";
import { listDumps, type Dump } from "../../host/core-dir.ts";

const BUSY_RETRY_MS = 2_000;
/** After so long the folder is looked at again: a dump that came meanwhile has its namespace's turn. */
const LISTING_MAX_MS = 10_000;
/** A composer lets go of its zip some milliseconds behind its publication, whose file event comes before that. */
const PUBLISHED_RETRY_MS = 100;
const JUST_PUBLISHED_MS = 10_000;

export interface SweepReport {
  delivered: number;
  /** Another process has it in hand. */
  busy: number;
  /** Failed before, and its next attempt is not due. */
  waiting: number;
  failed: number;
  /** When the first of those that were not delivered is due again. */
  nextRetryMs: number | undefined;
}

export interface SweepContext {
  coreDir: string;
  delivery: Delivery;
  log: Log;
  /** Aborted when the program is told to stop: the upload under way ends, the others wait. */
  signal: AbortSignal;
  /** Try every dump now, whatever its back-off says: someone asked for this sweep. */
  ignoreBackoff?: boolean;
  listingMaxMs?: number;
}

export async function sweepFolder(context: SweepContext): Promise<SweepReport> {
  await reclaimUploads(context);
  const { coreDir, signal, listingMaxMs = LISTING_MAX_MS } = context;
  const sweep = openSweep(context);
  const turns = new Turns();
  while (!signal.aborted) {
    const listedMs = performance.now();
    const due = sweep.dueOf(await listDumps(coreDir)).map(({ path, modifiedMs }) => ({
      path,
      sinceMs: modifiedMs,
      namespace: readDumpOwner(path).namespace,
    }));
    if (due.length === 0) break;
    for (const { path, namespace } of turns.order(due)) {
      turns.take(namespace);
      await sweep.deliver(path);
      if (signal.aborted || performance.now() - listedMs > listingMaxMs) break;
    }
  }
  return sweep.report;
}

/**
 * One dump, by its path or its name in CORE_DIR. Throws AppError "usage" for what is no finished dump.
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

interface Sweep {
  report: SweepReport;
  deliver(path: string): Promise<void>;
  /** Without those that this sweep has delivered, or tried and is to try later. Forgets what is not listed. */
  dueOf(listed: readonly Dump[]): Dump[];
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
  /** When each was tried (performance.now), and is due again (ms since the epoch) where it was not delivered. */
  const tried = new Map<string, { triedMs: number; retryAtMs: number | undefined }>();

  async function deliver(path: string): Promise<void> {
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
  }

  function isDue({ path }: Dump): boolean {
    const before = tried.get(path);
    if (before === undefined) return true;
    if (before.retryAtMs === undefined || before.retryAtMs > Date.now()) return false;
    // A clock that is set forth or back must not make one dump spin.
    return performance.now() - before.triedMs > listingMaxMs;
  }

  function dueOf(listed: readonly Dump[]): Dump[] {
    const paths = new Set(listed.map(({ path }) => path));
    for (const path of tried.keys()) if (!paths.has(path)) tried.delete(path);
    return listed.filter(isDue);
  }

  return { report, deliver, dueOf };
}

/** When this dump is due again, in ms since the epoch. */
async function retryAt(outcome: DeliveryOutcome, path: string): Promise<number | undefined> {
  if (outcome.kind === "delivered") return undefined;
  if (outcome.kind !== "busy") return outcome.retryAtMs;
  // Its name is a link(2), which dates the inode. One that is older is in another agent's hands.
  const published = await lstat(path).catch(() => undefined);
  const nowMs = Date.now();
  const isNew = published !== undefined && nowMs - published.ctimeMs < JUST_PUBLISHED_MS;
  return nowMs + (isNew ? PUBLISHED_RETRY_MS : BUSY_RETRY_MS);
}

/** What uploads of dumps that are gone left at the store costs space there, and holds up no dump here. */
async function reclaimUploads({ coreDir, delivery, log, signal }: SweepContext): Promise<void> {
  try {
    await delivery.reclaim(coreDir, signal);
  } catch (error) {
    log.warn("uploads_not_reclaimed", { error: describeError(error) });
  }
}

/** Delivery answers with an outcome; should it throw all the same, the other dumps still get their turn. */
function unexpected(error: unknown): DeliveryOutcome {
  return { kind: "failed", error, retryAtMs: Date.now() + 60_000 };
}
