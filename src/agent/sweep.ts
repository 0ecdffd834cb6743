// One pass over CORE_DIR: every finished dump is handed to delivery, the oldest first. A dump that cannot be
// delivered does not hold up the others. What happens to one dump is delivery's business.
import { lstat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { AppError, describeError } from "../model/app-error.ts";
import { kindOfCoreFile } from "../model/core-file.ts";
import type { Log } from "../host/log.ts";
import type { Delivery, DeliveryOutcome } from "./delivery/delivery.ts";
import { listDumps } from "./dumps.ts";

const BUSY_RETRY_MS = 2_000;

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
}

export async function sweepFolder(context: SweepContext): Promise<SweepReport> {
  await reclaimUploads(context);
  const dumps = await listDumps(context.coreDir);
  return sweepFiles(
    dumps.map(({ path }) => path),
    context,
  );
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
  return sweepFiles([path], context);
}

async function sweepFiles(
  paths: readonly string[],
  { delivery, log, signal, ignoreBackoff = false }: SweepContext,
): Promise<SweepReport> {
  const report: SweepReport = {
    delivered: 0,
    busy: 0,
    waiting: 0,
    failed: 0,
    nextRetryMs: undefined,
  };
  for (const path of paths) {
    if (signal.aborted) break;
    const outcome = await delivery.deliver(path, signal, { ignoreBackoff }).catch(unexpected);
    report[outcome.kind] += 1;
    if (outcome.kind === "failed")
      log.error("delivery_failed", {
        file: basename(path),
        error: describeError(outcome.error),
        retry_at: new Date(outcome.retryAtMs).toISOString(),
      });
    const retryAtMs = retryAt(outcome);
    if (retryAtMs !== undefined)
      report.nextRetryMs = Math.min(report.nextRetryMs ?? Infinity, retryAtMs);
  }
  return report;
}

/** When this dump is due again, in ms since the epoch. */
function retryAt(outcome: DeliveryOutcome): number | undefined {
  if (outcome.kind === "delivered") return undefined;
  // Its composer is about to let go of it (the file event comes before that), or another agent has it.
  return outcome.kind === "busy" ? Date.now() + BUSY_RETRY_MS : outcome.retryAtMs;
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
