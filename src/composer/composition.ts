// Makes one crash's dump: opens its file, drains the core into it, seals and publishes it, or removes it where the
// owner's rules leave it out.
import { untilAborted } from "../host/timer.ts";
import { EXIT, describeError } from "../model/app-error.ts";
import { compressionOf } from "../model/core-compression.ts";
import { canaryZipBase } from "../model/canary.ts";
import type { DumpInfo } from "../model/dump-info.ts";
import { forgetStartupCode } from "../host/startup-code.ts";
import { renderDumpName } from "../model/dump-name.ts";
import { ownerOfCrash } from "./crash-owner.ts";
import type { DrainEnd } from "./core-drain.ts";
import { drainCore, type Drained } from "./draining.ts";
import { firstFacts, templateValues } from "./dump-facts.ts";
import { eventDirectoryOf, writeEvent } from "./event.ts";
import type { Job } from "./job.ts";
import type { EventFacts } from "./metadata/metadata.ts";
import { openDump } from "./opening.ts";
import { sealArchive } from "./sealing.ts";
import { logSkipped } from "./skipped-dump.ts";
import { withModules, withModulesEntry } from "./modules/modules-entry.ts";
import { openReport } from "./summary/report-entry.ts";
import { containerLogOf, withSummary, withSummaryEntry } from "./summary/summary-entry.ts";
import { isCut } from "./waiting-core.ts";

/**
 * Makes the dump and returns the exit code (docs/contract.md, section 9). Throws AppError where nothing of the dump
 * could be kept.
 */
export async function composeDump(job: Job): Promise<number> {
  const { uuid, source, canary, deadline, environment, log } = job;
  const { settings, coreDir, complaints } = environment;
  const startedMs = Date.now();
  const nodeName = settings.NODE_NAME || source.nodeName;
  const info = { ...firstFacts(uuid, source.crash, nodeName), settings_ignored: complaints };
  const opened = await openDump(coreDir, info, settings);
  const { file } = opened;
  const drained = await drainCore(job, opened);
  const { verdict, facts, event } = drained.found;
  if (verdict.kind === "skip") {
    await job.explaining?.abandon();
    job.modules?.abandon();
    await file.abandon();
    logSkipped(log, verdict, { facts });
    return EXIT.done;
  }

  const { base, sealed, end } = await seal(job, opened.archive, drained, info);
  const cut = source.file !== undefined && isCut(source.file, end, sealed);
  if (cut && source.file?.keepsCut === false) {
    await file.abandon();
    const error = `the core's file is not whole in the zip (${sealed.truncated_by ?? "it grew"}), and stays`;
    log.milestone("warn", "dump_failed", { error });
    return EXIT.cut;
  }
  const zip = await file.publish(canary ? canaryZipBase(source.crash.exeName) : base);
  job.modules?.keep(ownerOfCrash(source.crash, drained.found));
  await job.knownBugs?.settle(sealed);
  const isLess = sealed.core_complete === false && end !== "known_bug";
  log.milestone(isLess ? "warn" : "info", "dump_published", {
    ...(canary ? { canary } : {}),
    zip,
    namespace: sealed.namespace,
    podname: sealed.podname,
    core_bytes: sealed.core_bytes,
    core_complete: sealed.core_complete,
    truncated_by: sealed.truncated_by,
    zip_bytes: file.sizeBytes,
    missing: sealed.missing.map(({ what }) => what).join(", "),
    title: sealed.title,
    crash_function: sealed.crash_function,
    bug: sealed.bug,
    exact: sealed.exact,
    drained_ms: drained.drainedMs,
    total_ms: Date.now() - startedMs,
  });
  if (settings.CORE_EVENTS) await announce(job, zip, sealed, event);
  if (cut) return EXIT.cut;
  return deadline.passed ? EXIT.deadline : EXIT.done;
}

/** Makes the zip whole. Returns its name without `.zip`, the dump-info in it, and why the core ends where it does. */
async function seal(
  {
    environment: { settings, complaints },
    attempts,
    explaining,
    knownBugs,
    modules,
    deadline,
    canary,
  }: Job,
  archive: Parameters<typeof sealArchive>[0]["archive"],
  drained: Drained,
  info: DumpInfo,
): Promise<{ base: string; sealed: DumpInfo; end: DrainEnd }> {
  const { drain, found, content, isWhole } = drained;
  const settings_ignored = [...complaints, ...(found.complaints ?? [])];
  const log = containerLogOf(found);
  const summary = await explaining?.finish(log);
  const bug = summary?.isOfPlace === true ? summary.bug : null;
  const end = (await knownBugs?.isKnown(bug, found)) === true ? "known_bug" : drained.end;
  const listed = await modules?.listed(untilAborted(deadline.signal));
  const facts = { ...info, ...found.facts, ...content, settings_ignored };
  const known = withModules(withSummary(facts, summary), summary, listed);
  const base = renderDumpName(settings.FILENAME_TEMPLATE, templateValues(known));
  const entries = withModulesEntry(withSummaryEntry(found.entries, summary), listed);
  const compression = compressionOf(settings.COMPRESSION);
  // The core was read, and what follows is small: the drain's code and garbage make room for it.
  forgetStartupCode();
  Bun.gc(true);
  const lastEntry = await openReport(canary, settings, attempts, { base, log, summary });
  const sealing = {
    archive,
    drain,
    end,
    isWhole,
    compression,
    base,
    entries,
    lastEntry,
    info: known,
    attempts,
  };
  return { base, sealed: await sealArchive(sealing), end };
}

/** Writes the event file. The dump is published already, so a failure is only logged. */
async function announce(
  { uuid, source, environment, log }: Job,
  zipName: string,
  why: DumpInfo,
  facts: EventFacts,
): Promise<void> {
  try {
    const directory = eventDirectoryOf(environment);
    const { crash } = source;
    await writeEvent(directory, { uuid, zipName, crash, namespace: why.namespace, facts, why });
  } catch (error) {
    log.milestone("warn", "event_failed", { error: describeError(error) });
  }
}
