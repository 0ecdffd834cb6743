// The files of CORE_DIR by their names: composer, agent and delivery agree on them here.

import { isCanaryZip } from "./canary.ts";

export type CoreFileKind =
  /** A finished dump, ready for delivery. */
  | "dump"
  /** Being written, under flock(2), by a composer; or left by one that was killed. */
  | "partial"
  /** Delivery's journal beside a dump, finished or not. */
  | "journal"
  /** The doctor's own dump (canary.ts): never delivered, removed by the doctor. */
  | "canary"
  /** Not ours. */
  | "foreign";

const PARTIAL = /^\.cdh-([0-9a-f-]{36})\.partial$/;
const JOURNAL = /^\.(.+\.zip)\.upload\.json(?:\.new)?$/;

export function kindOfCoreFile(name: string): CoreFileKind {
  if (PARTIAL.test(name)) return "partial";
  if (JOURNAL.test(name)) return "journal";
  if (isCanaryZip(name)) return "canary";
  if (!name.startsWith(".") && name.endsWith(".zip")) return "dump";
  return "foreign";
}

/** The hidden name of a dump while it is written. */
export function partialName(uuid: string): string {
  return `.cdh-${uuid}.partial`;
}

/** The uuid in a partial's name, or undefined. */
export function uuidOfPartial(name: string): string | undefined {
  return PARTIAL.exec(name)?.[1];
}
