// `explain --update`: explains a dump anew with the modules that can be had now (the store, debug information that a
// pipeline added since), and writes the new summary beside the dump.
import { basename, join } from "node:path";
import { explainCore } from "../explain/explain.ts";
import { Malformed } from "../explain/malformed.ts";
import type { ProcessEnvironment } from "../host/process-environment.ts";
import { writeFileAtomically } from "../host/files.ts";
import { AppError } from "../model/app-error.ts";
import type { CrashSummary } from "../model/crash-summary.ts";
import { SUMMARY_SUFFIX } from "../model/dump-entries.ts";
import { printableJson } from "../model/printable.ts";
import { openZippedCore } from "./core-bytes.ts";
import { findEntry, type DumpZip } from "./dump-zip.ts";
import { readLog, readSummary } from "./explain-file.ts";
import { openGatheredFiles } from "./modules/gathered-files.ts";
import { gatherModules, readModuleList } from "./modules/module-gathering.ts";

/** Where to look for modules, beside the environment's places. */
export interface UpdatePlaces {
  sysroot: string | undefined;
  modules: string | undefined;
  environment: ProcessEnvironment;
  say: (line: string) => void;
}

/** Makes the summary and writes `T-summary.json` into `folder`, over an older one. Returns it with the file's path. */
export async function updateSummary(
  zip: DumpZip,
  folder: string,
  places: UpdatePlaces,
): Promise<{ summary: CrashSummary; path: string }> {
  const summary = await summarizeAnew(zip, places);
  const path = join(folder, `${basename(zip.source.name, ".zip")}${SUMMARY_SUFFIX}`);
  await writeFileAtomically(path, `${printableJson(summary, 2)}\n`);
  return { summary, path };
}

async function summarizeAnew(zip: DumpZip, places: UpdatePlaces): Promise<CrashSummary> {
  const core = await openZippedCore(zip, findEntry(zip, "core"));
  try {
    const options = { ...places, asksServersForDebugInfo: true };
    const gathered = await gatherModules(core, await readModuleList(zip), options);
    const modules = openGatheredFiles(gathered);
    try {
      const threadNames = namesIn(await readSummary(zip));
      return explainCore({ core, modules, log: await readLog(zip), threadNames });
    } finally {
      modules.close();
      gathered.close();
    }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new AppError("archive", `the core cannot be explained: ${error.message}`);
  } finally {
    core.close();
  }
}

/** A core has no names of threads; the summary of the crash may. */
function namesIn(summary: CrashSummary | undefined): Map<number, string> {
  const threads = [summary?.crashing_thread, ...(summary?.threads ?? [])];
  return new Map(
    threads.flatMap((thread) =>
      thread?.name === undefined || thread.name === null ? [] : [[thread.tid, thread.name]],
    ),
  );
}
