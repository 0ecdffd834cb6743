// A summary's place in the dump: its entry, what dump-info repeats of it, and the log that it is made with.
import { logSuffix, SUMMARY_SUFFIX, type DumpEntry } from "../../model/dump-entries.ts";
import type { DumpInfo } from "../../model/dump-info.ts";
import type { Metadata } from "../metadata/metadata.ts";
import type { Explained } from "./explainer-process.ts";

/** The log of the container that crashed; empty where it is not known which. */
export function containerLogOf({ facts, entries }: Metadata): Uint8Array {
  const { container_index: index } = facts;
  const name = typeof index === "number" ? logSuffix(index) : undefined;
  return entries.find(({ suffix }) => suffix === name)?.data ?? new Uint8Array(0);
}

/** Returns the dump-info with what it repeats of the summary. */
export function withSummary(info: DumpInfo, summary: Explained | undefined): DumpInfo {
  if (summary === undefined) return info;
  const { title, crashFunction, bug, exact } = summary;
  return { ...info, title, crash_function: crashFunction, bug, exact };
}

/** Behind all others. */
export function withSummaryEntry(
  entries: readonly DumpEntry[],
  summary: Explained | undefined,
): readonly DumpEntry[] {
  if (summary === undefined) return entries;
  return [...entries, { suffix: SUMMARY_SUFFIX, data: summary.data }];
}
