// What one dump gets to know about its pod: the result of collectMetadata, and its pieces.
import type { DumpEntry } from "../../model/dump-entries.ts";
import type { DumpInfo } from "../../model/dump-info.ts";

export type Verdict =
  | { kind: "collect" }
  /** unidentified: there are rules, and it is not known whose crash it is, so none of them could allow it. */
  | { kind: "skip"; reason: string; unidentified?: true };

export interface Metadata {
  /** skip: the owner's rules (selector, namespaces) leave this dump out; there are only facts then. */
  verdict: Verdict;
  facts: Partial<DumpInfo>;
  /** In the zip's order (docs/contract.md, section 6). */
  entries: DumpEntry[];
  event: EventFacts;
  /** Settings that do not fit the host, a sentence each. */
  complaints?: readonly string[];
}

/** What only the event file tells (docs/contract.md, section 7). */
export interface EventFacts {
  imageList: string[];
  /** Those whose name begins with info.coredump. */
  labels: Record<string, string>;
}

export const NO_EVENT_FACTS: EventFacts = { imageList: [], labels: {} };
