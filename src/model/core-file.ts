// The files of CORE_DIR by their names: composer, agent and delivery agree on them here.

import { isCanaryZip } from "./canary.ts";
import { MODULES_FOLDER } from "./module-id.ts";

/** What a file of CORE_DIR is, judged by its name. */
export type CoreFileKind =
  /** A finished dump, ready for delivery. */
  | "dump"
  /** A partial: a composer writes it and holds flock(2) on it, or a killed composer left it. */
  | "partial"
  /** What a composer has read and not yet compressed; it goes with the partial of the same uuid. */
  | "spool"
  /** Delivery's journal beside a dump, finished or not. */
  | "journal"
  /** The doctor's own dump (canary.ts): never delivered, removed by the doctor. */
  | "canary"
  /** The folder of the mapped files that are kept (module-id.ts). */
  | "modules"
  /** A file that this program did not make. */
  | "foreign";

const PARTIAL = /^\.cdh-([0-9a-f-]{36})\.partial$/;
const SPOOL = /^\.cdh-([0-9a-f-]{36})\.spool$/;
const JOURNAL = /^\.(.+\.zip)\.upload\.json(?:\.new)?$/;

/** Classifies a file of CORE_DIR by its name, without opening it. */
export function kindOfCoreFile(name: string): CoreFileKind {
  if (PARTIAL.test(name)) return "partial";
  if (SPOOL.test(name)) return "spool";
  if (JOURNAL.test(name)) return "journal";
  if (isCanaryZip(name)) return "canary";
  if (name === MODULES_FOLDER) return "modules";
  if (!name.startsWith(".") && name.endsWith(".zip")) return "dump";
  return "foreign";
}

/** Returns the hidden name that a dump has while the composer writes it. */
export function partialName(uuid: string): string {
  return `.cdh-${uuid}.partial`;
}

/** Returns the uuid in a partial's name; undefined for any other name. */
export function uuidOfPartial(name: string): string | undefined {
  return PARTIAL.exec(name)?.[1];
}

/** Returns the name of the spool beside a partial. */
export function spoolName(uuid: string): string {
  return `.cdh-${uuid}.spool`;
}

/** Returns the uuid in a spool's name; undefined for any other name. */
export function uuidOfSpool(name: string): string | undefined {
  return SPOOL.exec(name)?.[1];
}
