// Keeps EVENT_DIR within limits where no program takes the events away. Beyond a number of files or bytes it removes
// the oldest events of the namespace with the most. A tenant that crashes a lot thus loses its own events and does not
// fill the disk.
import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import { readTextFile, removeFile, removeTemporaries } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { errnoOf } from "../../model/app-error.ts";
import { UNKNOWN_OWNER } from "../../model/dump-owner.ts";
import { planEvictions, type KeptDump } from "../../model/eviction.ts";

/** The limits of EVENT_DIR. */
export interface EventLimits {
  count: number;
  bytes: number;
}

const EVENT_LIMITS: EventLimits = { count: 10_000, bytes: 64 * 2 ** 20 };

/** The part of the limits that remains after a removal, so that the next event is not over them again. */
const KEPT_SHARE = 0.9;
/** The age from which an unfinished file belongs to a killed composer, in ms. */
const ABANDONED_AFTER_MS = 600_000;
/** The longest event that is read; src/composer/event.ts writes less. */
const EVENT_MAX_BYTES = 256 * 1024;
const EVENT_FILE = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-event\.json$/;

interface EventFile {
  name: string;
  sizeBytes: number;
  modifiedMs: number;
}

/**
 * Removes events beyond the limits and logs once for each namespace what it removed. Leaves files of other names alone.
 */
export async function boundEvents(
  directory: string,
  log: Log,
  limits: EventLimits = EVENT_LIMITS,
): Promise<void> {
  const files = await listEvents(directory);
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (files.length <= limits.count && bytes <= limits.bytes) return;
  await removeTemporaries(directory, ABANDONED_AFTER_MS);
  const stored: KeptDump[] = [];
  for (const file of files) {
    const namespace = await readNamespace(join(directory, file.name));
    stored.push({ ...file, namespace, workload: "", evictable: true });
  }
  const removed = new Map<string, { files: number; bytes: number }>();
  for (const { name, namespace, sizeBytes } of planRemovals(stored, bytes, limits)) {
    if (!(await removeFile(join(directory, name)))) continue;
    const before = removed.get(namespace) ?? { files: 0, bytes: 0 };
    removed.set(namespace, { files: before.files + 1, bytes: before.bytes + sizeBytes });
  }
  for (const [namespace, sum] of removed)
    log.warn("events_removed", { namespace, ...sum, hint: `nobody takes them from ${directory}` });
}

/** Plans the removals by the number of files, of which each counts one, and by bytes. */
function planRemovals(
  stored: readonly KeptDump[],
  bytes: number,
  limits: EventLimits,
): Set<KeptDump> {
  const plan = new Set<KeptDump>();
  if (bytes > limits.bytes)
    for (const event of planEvictions(stored, bytes - limits.bytes * KEPT_SHARE)) plan.add(event);
  const left = stored.filter((event) => !plan.has(event));
  if (left.length <= limits.count) return plan;
  const counted = left.map((event) => ({ ...event, event, sizeBytes: 1 }));
  for (const { event } of planEvictions(counted, left.length - limits.count * KEPT_SHARE))
    plan.add(event);
  return plan;
}

async function listEvents(directory: string): Promise<EventFile[]> {
  const files: EventFile[] = [];
  try {
    for await (const { name } of await opendir(directory)) {
      if (!EVENT_FILE.test(name)) continue;
      // Another program may have taken the file since the listing.
      const found = await lstat(join(directory, name)).catch(() => undefined);
      if (found?.isFile() === true)
        files.push({ name, sizeBytes: found.size, modifiedMs: found.mtimeMs });
    }
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
  return files;
}

async function readNamespace(path: string): Promise<string> {
  try {
    const event: unknown = JSON.parse((await readTextFile(path, EVENT_MAX_BYTES)) ?? "null");
    const namespace: unknown =
      typeof event === "object" && event !== null ? Reflect.get(event, "namespace") : null;
    return typeof namespace === "string" ? namespace.slice(0, 63) : UNKNOWN_OWNER;
  } catch {
    return UNKNOWN_OWNER; // another program's file, or one that a crash of the node has cut
  }
}
