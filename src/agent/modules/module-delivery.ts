// Modules on their way to the store: one sweep over CORE_DIR/modules, the oldest of each namespace in turn. Each goes to
// debuginfod's key for its build-id, once per fleet, and never over another file: where one of the same build-id but
// other content stands there, the module gets a key of its own beside it, and the log says so.
import { existsSync } from "node:fs";
import type { AgentSettings } from "../../config/agent-settings.ts";
import {
  forgetOldModules,
  listKeptModules,
  markStored,
  type KeptModule,
} from "../../host/kept-modules.ts";
import type { Log } from "../../host/log.ts";
import { describeError } from "../../model/app-error.ts";
import { planBackoff } from "../../model/backoff.ts";
import { Turns } from "../../model/turns.ts";
import { openStoreReader, openStoreWriter } from "../../store/open-store.ts";
import type { StoreReader, StoreWriter } from "../../store/store-port.ts";
import { StoreError } from "../../store/store-error.ts";
import { storeModule } from "./store-module.ts";

/** How long this node believes that the store still has a module, in ms; lifecycle rules may remove it there. */
const MARK_MS = 7 * 86_400_000;
/** After how long an unfinished file is a killed writer's, in ms. */
const PART_MS = 3_600_000;
const BACKOFF = { baseMs: 2_000, capMs: 300_000 };

/** What one sweep did, in numbers of modules; the fields of a sweep over dumps. */
export interface ModuleReport {
  delivered: number;
  busy: number;
  waiting: number;
  failed: number;
  /** When the first that failed is due again, in ms since the epoch. */
  nextRetryMs: number | undefined;
}

/** Delivers modules to one store. */
export interface ModuleDelivery {
  /** Delivers what waits. `mayGoOn` is awaited before each module, so that dumps go first. A failure is in the report. */
  sweep(mayGoOn: () => Promise<void>): Promise<ModuleReport>;
  close(): void;
}

/** What the delivery needs. */
export interface ModuleDeliveryContext {
  settings: AgentSettings;
  log: Log;
  signal: AbortSignal;
}

/** Opens the delivery; opens the store at the first module. */
export function openModuleDelivery({
  settings,
  log,
  signal,
}: ModuleDeliveryContext): ModuleDelivery {
  const { CORE_DIR, STORE_MODULE_PREFIX: prefix } = settings;
  const turns = new Turns();
  let store: { writer: StoreWriter; reader: StoreReader } | undefined;
  /** Modules that failed, by path. */
  const retries = new Map<string, { attempts: number; atMs: number }>();
  let failures = 0;
  let restsUntilMs = 0;

  async function opened() {
    store ??= { writer: await openStoreWriter(settings), reader: await openStoreReader(settings) };
    return store;
  }

  async function sweep(mayGoOn: () => Promise<void>): Promise<ModuleReport> {
    const report = { delivered: 0, busy: 0, waiting: 0, failed: 0, nextRetryMs: undefined };
    forgetOldModules(CORE_DIR, MARK_MS, PART_MS);
    const waiting = listKeptModules(CORE_DIR).filter(({ isStored }) => !isStored);
    const due = waiting
      .filter(({ path }) => (retries.get(path)?.atMs ?? 0) <= Date.now())
      .map((module) => ({ ...module, sinceMs: module.modifiedMs }));
    for (const module of restsUntilMs > Date.now() ? [] : turns.order(due)) {
      await mayGoOn();
      if (signal.aborted || restsUntilMs > Date.now()) break;
      turns.take(module.namespace);
      try {
        if (await deliver(module)) report.delivered++;
        retries.delete(module.path);
        failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        report.failed++;
        postpone(module, error);
      }
    }
    for (const path of retries.keys())
      if (!waiting.some((module) => module.path === path)) retries.delete(path);
    return { ...report, nextRetryMs: nextRetry() };
  }

  /** Lets the module wait, and where the whole store fails all of them. */
  function postpone({ path, id, sizeBytes }: KeptModule, error: unknown): void {
    const asked = error instanceof StoreError ? error.retryAfterMs : 0;
    const attempts = (retries.get(path)?.attempts ?? 0) + 1;
    const atMs = Date.now() + planBackoff(attempts, BACKOFF, Math.random, asked);
    retries.set(path, { attempts, atMs });
    if (error instanceof StoreError && error.storeWide) {
      failures++;
      restsUntilMs = Date.now() + planBackoff(failures, BACKOFF, Math.random, asked);
    }
    const retry_at = new Date(Math.max(atMs, restsUntilMs)).toISOString();
    log.warn("module_failed", { id, bytes: sizeBytes, error: describeError(error), retry_at });
  }

  function nextRetry(): number | undefined {
    if (retries.size === 0) return undefined;
    const first = Math.min(...retries.values().map(({ atMs }) => atMs));
    return Math.max(first, restsUntilMs);
  }

  /** Returns false for a module that has gone meanwhile. */
  async function deliver(module: KeptModule): Promise<boolean> {
    const { id, sizeBytes, namespace } = module;
    // A core needed its room.
    if (!existsSync(module.path)) return false;
    const stored = await storeModule(
      { ...module, artifact: "executable" },
      { ...(await opened()), prefix, log, signal },
    );
    if (stored.kind === "beside") log.warn("module_conflict", { id, namespace, key: stored.key });
    await markStored(CORE_DIR, module);
    log.info("module_stored", { id, bytes: sizeBytes, namespace });
    return true;
  }

  return {
    sweep,
    close: () => {
      store?.writer.close();
      store?.reader.close();
      store = undefined;
    },
  };
}
