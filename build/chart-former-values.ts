// Keys that IBM's documents or values files once told people to set, and that its chart 9.0.0 did not read. The schema
// lets them pass, so that templates/_checks.tpl can understand them or name the right key; no table lists them.
import type { ChartValue } from "./chart-value.ts";

const ANY = { type: ["string", "boolean", "null"] };

export interface FormerValue extends Pick<ChartValue, "path" | "about" | "schema" | "fallback"> {
  /** The key that is read. */
  instead: string;
}

export const FORMER_VALUES: readonly FormerValue[] = [
  ["manageStoreSecret", "daemonset.manageStoreSecret"],
  ["daemonset.composerCrioImageCmd", "composer.crioImageCmd"],
  ["daemonset.composerLogLevel", "composer.logLevel"],
  ["daemonset.composerIgnoreCrio", "composer.ignoreCrio"],
].map(([path = "", instead = ""]) => ({
  path,
  instead,
  fallback: null,
  about: `Not this key: set ${instead}.`,
  schema: ANY,
}));
