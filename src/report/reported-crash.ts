// What a report is made of, and how much it shows.
import type { CrashSummary } from "../model/crash-summary.ts";
import type { KnownInfo } from "../model/dump-info.ts";

/** What is known of one crash. */
export interface ReportedCrash {
  info: KnownInfo;
  /** undefined where nobody explained the crash. */
  summary: CrashSummary | undefined;
  /** The end of the crashed container's log; "" where there is none. */
  log: string;
  /** The dump's name, T.zip. */
  fileName: string;
  /** Its key in the store, as far as that is known. */
  key: string;
}

/** How much a report shows. */
export interface ReportLimits {
  textCharacters: number;
  frames: number;
  threadGroups: number;
  threadFrames: number;
  logLines: number;
  logLineCharacters: number;
  areas: number;
  items: number;
}
