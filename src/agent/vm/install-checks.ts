// What `install` looks at before it changes anything: misspelt variables and a store that does not answer would
// otherwise show only when dumps do not arrive.
import {
  agentVariables,
  formerVariables,
  type AgentSettings,
} from "../../config/agent-settings.ts";
import { uploadsAreOn } from "../../config/schedule-settings.ts";
import { findUnknownVariables } from "../../config/unknown-variables.ts";
import type { ProcessEnvironment } from "../../host/process-environment.ts";
import { AppError } from "../../model/app-error.ts";
import { nearestWord } from "../../model/nearest-word.ts";
import { namesStore } from "../../store/open-store.ts";
import { checkStore } from "../doctor/check-store.ts";

/** Throws one AppError "configuration" that lists every fault. Changes nothing; a probe of the store leaves nothing. */
export async function checkBeforeInstall(
  config: ProcessEnvironment,
  settings: AgentSettings,
): Promise<void> {
  const faults = [...misspelt(config), ...(await storeFaults(settings))];
  if (faults.length > 0) throw new AppError("configuration", "nothing was changed", { faults });
}

function misspelt(config: ProcessEnvironment): string[] {
  const known = [...agentVariables(), ...formerVariables()];
  const unknown = new Set(findUnknownVariables(config, known));
  return Object.keys(config).flatMap((name) => {
    const nearest = known.includes(name) ? undefined : nearestWord(name, known);
    if (nearest !== undefined) return [`there is no variable ${name}; did you mean ${nearest}?`];
    return unknown.has(name) ? [`there is no variable ${name}`] : [];
  });
}

async function storeFaults(settings: AgentSettings): Promise<string[]> {
  if (!uploadsAreOn(settings))
    return [
      "nothing would be delivered: set USE_INOTIFY=true, or INTERVAL (milliseconds), or SCHEDULE (cron)",
    ];
  if (!namesStore(settings))
    return ["no store is named: set S3_BUCKET_NAME and S3_REGION, or STORE_URL"];
  const { signal } = new AbortController();
  const { status, found, remedy } = await checkStore({ settings, signal, earlier: new Map() });
  if (status !== "failed") return [];
  return [`the store: ${found}${remedy === undefined ? "" : `; ${remedy}`}`];
}
