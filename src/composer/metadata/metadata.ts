// The result of collectMetadata and its parts: what a dump knows about its pod.
import type { DumpEntry } from "../../model/dump-entries.ts";
import type { DumpInfo } from "../../model/dump-info.ts";

/** Whether the composer collects the dump. */
export type Verdict =
  | { kind: "collect" }
  /**
   * `unidentified` is set where the owner has rules and the crash's pod is unknown, so that no rule can allow the dump.
   */
  | { kind: "skip"; reason: string; unidentified?: true };

/** The metadata of one dump. */
export interface Metadata {
  /** With "skip" the owner's rules or limits leave this dump out, and there are only facts. */
  verdict: Verdict;
  facts: Partial<DumpInfo>;
  /** The small entries in the zip's order (docs/contract.md, section 6). */
  entries: DumpEntry[];
  event: EventFacts;
  /** Settings that do not fit the host, one sentence each. */
  complaints?: readonly string[];
}

/** Facts that only the event file has (docs/contract.md, section 7). */
export interface EventFacts {
  imageList: string[];
  /** The pod's labels whose name begins with info.coredump. */
  labels: Record<string, string>;
}

/** The facts of a crash without a pod. */
export const NO_EVENT_FACTS: EventFacts = { imageList: [], labels: {} };
