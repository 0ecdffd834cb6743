// The story of one crash: settings, trace, drain, metadata, seal, publish. Only wires.
import { join } from "node:path";
import { TIMEOUT_DEFAULT_SECONDS, type ComposerSettings } from "../config/composer-settings.ts";
import { EXIT, describeError } from "../model/app-error.ts";
import { canaryZipBase } from "../model/canary.ts";
import type { CrashContext } from "../model/crash-context.ts";
import type { Level } from "../model/crash-record.ts";
import { renderDumpName } from "../model/dump-name.ts";
import { UNKNOWN_OWNER } from "../model/dump-owner.ts";
import { AttemptLog } from "./attempt.ts";
import { isCanary, settingsForCanary } from "./canary-crasher.ts";
import { parseCommandLine, type ComposerCommandLine } from "./command-line.ts";
import { ComposerLog } from "../host/composer-log.ts";
import { CoreDrain } from "./core-drain.ts";
import { CoreInput } from "./core-input.ts";
import type { CoreSource } from "../model/composer-invocation.ts";
import { Deadline } from "./deadline.ts";
import { ownerOfCrash } from "./crash-owner.ts";
import { openDiskLimits, type DiskRules } from "./disk-limits.ts";
import { readEnvironment, type Environment } from "./environment.ts";
import { writeEvent } from "./event.ts";
import { firstFacts, templateValues, whyNoFileList } from "./dump-facts.ts";
import { isCut, openCoreFile, type CoreFile } from "./waiting-core.ts";
import type { EventFacts, Metadata } from "./metadata/metadata.ts";
import type { MetadataTask } from "./metadata-task.ts";
import { openDump } from "./opening.ts";
import { openPodMetadata } from "./pod-metadata.ts";
import { chainPreviousHandler, type PreviousHandler } from "./previous-handler.ts";
import { Release } from "./release.ts";
import { sealArchive } from "./sealing.ts";
import { logSkipped } from "./skipped-dump.ts";
import { admit } from "./socket/admission.ts";
import { openConnection, type Connection } from "./socket/connection.ts";

/**
 * Takes one core from `input` (a file descriptor) and publishes it as a zip. hostDir holds the executable,
 * `.env` and composer.log. Returns the exit code of the contract's section 9; throws AppError when the
 * dump could not be kept at all.
 */
export async function runComposer(
  args: readonly string[],
  hostDir: string,
  input = 0,
  source: CoreSource = { kind: "pipe" },
): Promise<number> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const commandLine = parseCommandLine(args, nowSeconds);
  const connection = source.kind === "socket" ? openConnection(input, nowSeconds) : undefined;
  const file = source.kind === "file" ? openCoreFile(input, source, commandLine.crash) : undefined;
  const crash = connection?.crash ?? file?.crash ?? commandLine.crash;
  const uuid = crypto.randomUUID();
  const core = new CoreInput(input, connection?.readNow);
  // Before anything that may wait; the settings' own limit is not known yet.
  const deadline = new Deadline(commandLine.timeoutSeconds ?? TIMEOUT_DEFAULT_SECONDS);
  const release = new Release(core, file === undefined ? crash.hostPid : null, hostDir, uuid);
  // Whatever else hangs then (a disk, /proc): the crashed process does not.
  deadline.signal.addEventListener("abort", () => release.letGo());
  try {
    const taken = { crash, uuid, core, deadline, release, connection, file };
    return await takeCrash(taken, hostDir, commandLine);
  } finally {
    release.letGo();
    await release.settled();
    deadline.clear();
  }
}

interface TakenCrash {
  crash: CrashContext;
  uuid: string;
  core: CoreInput;
  deadline: Deadline;
  release: Release;
  /** Where the core comes by the kernel's socket. */
  connection: Connection | undefined;
  /** Where it lay in a file. */
  file: CoreFile | undefined;
}

async function takeCrash(
  { crash, uuid, core, deadline, release, connection, file }: TakenCrash,
  hostDir: string,
  commandLine: ComposerCommandLine,
): Promise<number> {
  // A canary's core file is the doctor's own to take (src/agent/canary/canary-crash.ts).
  const canary = file === undefined && isCanary(crash, hostDir);
  const found = await readEnvironment(hostDir, commandLine);
  const environment = canary ? { ...found, settings: settingsForCanary(found.settings) } : found;
  deadline.setTimeout(environment.settings.TIMEOUT);
  const log = new ComposerLog(hostDir, uuid, logLevel(environment));
  log.milestone("info", "dump_started", {
    ...(canary ? { canary } : {}),
    source: connection !== undefined ? "socket" : file !== undefined ? "file" : "pipe",
    exe: crash.exeName,
    pid: crash.pid,
    host_pid: crash.hostPid,
    signal: crash.signal,
    hostname: crash.hostname,
  });
  for (const complaint of environment.complaints)
    log.milestone("warn", "bad_setting", { complaint });
  const attempts = new AttemptLog();
  const metadata = openPodMetadata({
    crash,
    gone: file?.gone,
    attempts,
    deadline,
    environment,
    log,
  });
  const fail = (error: unknown): never => {
    log.milestone("error", "dump_failed", { error: describeError(error) });
    throw error;
  };
  const admitted =
    connection === undefined || (await admit(connection, metadata, environment, log).catch(fail));
  if (!admitted) return EXIT.done;
  core.readAhead();
  // Of a process that is gone, the previous handler could learn no more than we.
  const { PREVIOUS_HANDLER } = file === undefined ? environment.settings : { PREVIOUS_HANDLER: "" };
  const chain = chainPreviousHandler(PREVIOUS_HANDLER, core, crash, log);
  try {
    const told = { attempts, metadata, nodeName: connection?.nodeName ?? file?.nodeName, file };
    return await composeDump({
      uuid,
      crash,
      canary,
      core,
      release,
      chain,
      deadline,
      environment,
      log,
      ...told,
    });
  } catch (error) {
    log.milestone("error", "dump_failed", { error: describeError(error) });
    await chain?.takeRest(core, deadline.signal);
    await chain?.end();
    throw error;
  }
}

interface Job {
  uuid: string;
  crash: CrashContext;
  /** It is the doctor's crash: its zip goes where no sweep looks. */
  canary: boolean;
  core: CoreInput;
  release: Release;
  /** Who took cores on this host before us, where it gets a copy. */
  chain: PreviousHandler | undefined;
  deadline: Deadline;
  environment: Environment;
  log: ComposerLog;
  attempts: AttemptLog;
  metadata: MetadataTask;
  /** The host name of the node where ours is not it; the settings may name it otherwise. */
  nodeName: string | undefined;
  /** What the core lies in, where that is a file. */
  file: CoreFile | undefined;
}

async function composeDump(job: Job): Promise<number> {
  const { uuid, crash, canary, core, release, chain, deadline, environment, log } = job;
  const { attempts, metadata } = job;
  const { settings, coreDir, complaints } = environment;
  const startedMs = Date.now();
  const nodeName = settings.NODE_NAME || job.nodeName;
  const info = { ...firstFacts(uuid, crash, nodeName), settings_ignored: complaints };
  const { file, archive } = await openDump(coreDir, info, settings);
  let drainedMs = 0;
  let namespace = UNKNOWN_OWNER;
  const limits = openDiskLimits({
    coreDir,
    hostDir: environment.hostDir,
    uuid,
    rules: diskRules(settings),
    log,
    asker: () => namespace,
  });
  const drain = new CoreDrain(core, archive, {
    compress: settings.COMPRESSION,
    maxCoreBytes: settings.MAX_CORE_SIZE,
    hasSpace: (sizeBytes) => limits.hasSpace(sizeBytes),
    onFirstBytes: () => {
      metadata.start(() => drain.stop("skipped"));
      void metadata.result().then(noteOwner);
    },
    onLastBytes: async () => {
      // Without a first byte (a full disk), the process is asked for now, before it goes.
      metadata.start();
      await metadata.processRead();
      // Cut short or left out by our rules, it is still the previous handler's, whole.
      await chain?.takeRest(core, deadline.signal);
      await chain?.end();
      release.letGo();
      drainedMs = Date.now() - startedMs;
    },
    onReadError: (error) =>
      attempts.record("core", `could not be read on: ${describeError(error)}`),
  });
  /** While it is written already: a large dump under way counts as its namespace's. */
  function noteOwner(found: Metadata): void {
    const owner = ownerOfCrash(crash, found);
    namespace = owner.namespace;
    file.markOwner(owner);
  }
  deadline.signal.addEventListener("abort", () => drain.stop("timeout"));
  if (deadline.passed) drain.stop("timeout");

  const end = await drain.run();
  limits.end();
  log.detail("debug", "core_drained", { end, core_bytes: drain.written.sizeBytes });
  if (drain.elf.lacksFiles) attempts.record("list of mapped files", whyNoFileList());
  const found = await metadata.result();
  noteOwner(found);
  const { verdict, facts, entries, event } = found;
  if (verdict.kind === "skip") {
    await file.abandon();
    logSkipped(log, verdict, { facts });
    return EXIT.done;
  }

  const settings_ignored = [...complaints, ...(found.complaints ?? [])];
  const known = { ...info, ...facts, settings_ignored };
  const base = renderDumpName(settings.FILENAME_TEMPLATE, templateValues(known));
  const compress = settings.COMPRESSION;
  const sealing = { archive, drain, end, compress, base, entries, info: known, attempts };
  const sealed = await sealArchive(sealing);
  const cut = job.file !== undefined && isCut(job.file, end, sealed);
  if (cut && job.file?.keepsCut === false) {
    await file.abandon();
    const error = `the core's file is not whole in the zip (${sealed.truncated_by ?? "it grew"}), and stays`;
    log.milestone("warn", "dump_failed", { error });
    return EXIT.cut;
  }
  const zip = await file.publish(canary ? canaryZipBase(crash.exeName) : base);
  log.milestone(sealed.core_complete === false ? "warn" : "info", "dump_published", {
    ...(canary ? { canary } : {}),
    zip,
    namespace: sealed.namespace,
    podname: sealed.podname,
    core_bytes: sealed.core_bytes,
    core_complete: sealed.core_complete,
    truncated_by: sealed.truncated_by,
    zip_bytes: file.sizeBytes,
    missing: sealed.missing.map(({ what }) => what).join(", "),
    drained_ms: drainedMs,
    total_ms: Date.now() - startedMs,
  });
  if (settings.CORE_EVENTS) await announce(job, zip, sealed.namespace, event);
  if (cut) return EXIT.cut;
  return deadline.passed ? EXIT.deadline : EXIT.done;
}

/** The event file. The dump is safe already: a failure is only logged. */
async function announce(
  { uuid, crash, environment, log }: Job,
  zipName: string,
  namespace: string | null,
  facts: EventFacts,
): Promise<void> {
  try {
    const directory = environment.settings.EVENT_DIRECTORY || join(environment.hostDir, "events");
    await writeEvent(directory, { uuid, zipName, crash, namespace, facts });
  } catch (error) {
    log.milestone("warn", "event_failed", { error: describeError(error) });
  }
}

function diskRules({ DISK_QUOTA, DISK_FREE, DISK_RESERVE }: ComposerSettings): DiskRules {
  return { quota: DISK_QUOTA, free: DISK_FREE, reserveBytes: DISK_RESERVE };
}

function logLevel({ settings }: Environment): Level {
  const levels = { Debug: "debug", Info: "info", Warn: "warn", Error: "error" } as const;
  return levels[settings.LOG_LEVEL];
}
