// T-report.html, the crash as a page for people: the zip's last entry, made of what is known at the end.
import type { ComposerSettings } from "../../config/composer-settings.ts";
import { describeError } from "../../model/app-error.ts";
import { REPORT_SUFFIX, type DumpEntry } from "../../model/dump-entries.ts";
import type { DumpInfo } from "../../model/dump-info.ts";
import { renderObjectKey } from "../../model/object-key.ts";
import { keyValuesOf } from "../../model/key-values.ts";
import type { Attempts } from "../attempt.ts";
import type { Explained } from "./explainer-process.ts";

/** What a report needs beside the dump-info. */
export interface ReportFacts {
  /** The dump's name, T. */
  base: string;
  /** The crashed container's log. */
  log: Uint8Array;
  summary: Explained | undefined;
}

type ReportSettings = Pick<ComposerSettings, "REPORT" | "STORE_KEY_TEMPLATE" | "CLUSTER_NAME">;

/** As much of the log's end as a report can show. */
const LOG_BYTES = 32 * 1024;
const LABEL = "report";

/** Returns what makes the entry; that throws nothing, and what goes wrong becomes a missing piece of dump-info. */
export async function openReport(
  canary: boolean,
  { REPORT, STORE_KEY_TEMPLATE, CLUSTER_NAME }: ReportSettings,
  attempts: Attempts,
  { base, log, summary }: ReportFacts,
): Promise<(info: DumpInfo) => DumpEntry | undefined> {
  if (canary || !REPORT) return () => undefined;
  try {
    const { formatReport } = await import("../../report/crash-report.ts");
    return (info) => {
      try {
        const fileName = `${base}.zip`;
        const values = keyValuesOf(info, {
          zipPath: fileName,
          cluster: CLUSTER_NAME,
          nowMs: Date.now(),
        });
        const data = formatReport({
          info,
          summary: summary?.summary,
          log: Buffer.from(log.subarray(-LOG_BYTES)).toString("utf8"),
          fileName,
          key: renderObjectKey(STORE_KEY_TEMPLATE, values),
        });
        return { suffix: REPORT_SUFFIX, data };
      } catch (error) {
        attempts.record(LABEL, describeError(error));
        return undefined;
      }
    };
  } catch (error) {
    attempts.record(LABEL, describeError(error));
    return () => undefined;
  }
}
