// Writes a dump's event file (docs/contract.md, section 7) for an external program. It appears whole, and the caller
// writes it only after the zip that it names is published.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../host/files.ts";
import { finishedFileMode } from "../host/shared-folder.ts";
import type { DumpInfo } from "../model/dump-info.ts";
import type { CrashContext } from "../model/crash-context.ts";
import { printableJson } from "../model/printable.ts";
import type { Environment } from "./environment.ts";
import type { EventFacts } from "./metadata/metadata.ts";

/** What the event file tells about a dump. */
export interface PublishedDump {
  uuid: string;
  /** The zip's file name. */
  zipName: string;
  crash: CrashContext;
  namespace: string | null;
  facts: EventFacts;
  why: CrashCause;
}

/** Of the summary; null without one. */
export type CrashCause = Pick<DumpInfo, "title" | "crash_function" | "bug" | "exact">;

/** The longest text: users can describe pods and images at any length. */
const TEXT_MAX_CHARACTERS = 1024;
const LABELS_MAX = 64;
/** A namespace that is not known, as in names (src/model/dump-name.ts). */
const UNKNOWN = "unknown";

/** Returns EVENT_DIRECTORY, else HOST_DIR/events. */
export function eventDirectoryOf({ hostDir, settings }: Environment): string {
  return settings.EVENT_DIRECTORY || join(hostDir, "events");
}

/** Writes EVENT_DIRECTORY/{uuid}-event.json, for root and CORE_GROUP. Throws AppError "host" when that fails. */
export async function writeEvent(eventDirectory: string, dump: PublishedDump): Promise<void> {
  await mkdir(eventDirectory, { recursive: true, mode: 0o755 });
  const path = join(eventDirectory, `${dump.uuid}-event.json`);
  const mode = await finishedFileMode(eventDirectory);
  await writeFileAtomically(path, `${printableJson(planEventFile(dump))}\n`, mode);
}

/**
 * Returns the event's keys, with the types of docs/contract.md, section 7: texts, a list and a map of texts; null
 * for what a summary would tell.
 */
export function planEventFile({ uuid, zipName, crash, namespace, facts, why }: PublishedDump) {
  const text = (value: number | null) => (value === null ? "" : String(value));
  return {
    image_list: facts.imageList.map(short),
    key: zipName,
    exe_path: crash.pathname,
    labels: Object.fromEntries(
      Object.entries(facts.labels)
        .slice(0, LABELS_MAX)
        .map(([name, value]) => [short(name), short(value)]),
    ),
    limit_size: crash.limitSize,
    exe_name: crash.exeName,
    pid: text(crash.pid),
    signal: text(crash.signal),
    timestamp: String(crash.timestampSeconds),
    hostname: crash.hostname,
    // A text whatever is known, as in the ancestor's events.
    namespace: namespace ?? UNKNOWN,
    uuid,
    title: why.title === null ? null : short(why.title),
    crash_function: why.crash_function === null ? null : short(why.crash_function),
    bug: why.bug,
    exact: why.exact,
  };
}

function short(value: string): string {
  return value.slice(0, TEXT_MAX_CHARACTERS);
}
