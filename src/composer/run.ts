// The story of one crash: its log, where the core comes from, settings, metadata, drain, seal, publish. Only wires.
import { TIMEOUT_DEFAULT_SECONDS } from "../config/composer-settings.ts";
import { ComposerLog } from "../host/composer-log.ts";
import { recordLostCrash } from "../host/lost-crash.ts";
import { EXIT, describeError } from "../model/app-error.ts";
import type { Invocation } from "../model/composer-invocation.ts";
import { CRASH_ENDS } from "../model/crash-record.ts";
import { AttemptLog } from "./attempt.ts";
import { isCanary, settingsForCanary } from "./canary-crasher.ts";
import { openModuleKeeping } from "./modules/opening.ts";
import { parseCommandLine, type ComposerCommandLine } from "./command-line.ts";
import { composeDump } from "./composition.ts";
import { CoreInput } from "./core-input.ts";
import { openCrashSource } from "./crash-source.ts";
import { Deadline } from "./deadline.ts";
import { readEnvironment } from "./environment.ts";
import type { Job } from "./job.ts";
import { KnownBugLimit } from "./known-bug-limit.ts";
import { openPodMetadata } from "./pod-metadata.ts";
import { sizePool } from "./pool-threads.ts";
import { chainPreviousHandler } from "./previous-handler.ts";
import { Release } from "./release.ts";
import type { CoreFilePlace } from "./summary/file-copy.ts";
import { openExplaining } from "./summary/opening.ts";
import { admit } from "./socket/admission.ts";

type Given = Partial<Pick<Invocation, "source" | "uuid">>;

/**
 * Takes one core from `input` (a file descriptor) and publishes it as a zip. hostDir holds the executable, `.env` and
 * composer.log. Returns the exit code (docs/contract.md, section 9). Throws AppError when nothing of the dump could be
 * kept; composer.log has the failure by then.
 */
export async function runComposer(
  args: readonly string[],
  hostDir: string,
  input = 0,
  { source = { kind: "pipe" }, uuid = crypto.randomUUID() }: Given = {},
): Promise<number> {
  sizePool();
  // Opens the log before anything that may throw, so that every crash leaves a trace.
  const log = new ComposerLog(hostDir, uuid);
  const nowSeconds = Math.floor(Date.now() / 1000);
  const commandLine = parseCommandLine(args, nowSeconds);
  try {
    const from = openCrashSource(input, source, commandLine.crash, nowSeconds);
    return await holdCrash({ uuid, log, source: from }, input, hostDir, commandLine);
  } catch (error) {
    const { exeName: exe, hostPid } = commandLine.crash;
    if (!CRASH_ENDS.some((event) => log.has(event)))
      recordLostCrash(log, { source: source.kind, exe, hostPid }, describeError(error));
    throw error;
  }
}

/** Holds the crashed process at most until the deadline, and releases it whatever happens. */
async function holdCrash(
  crash: Pick<Job, "uuid" | "log" | "source">,
  input: number,
  hostDir: string,
  commandLine: ComposerCommandLine,
): Promise<number> {
  const { log, source } = crash;
  const core = CoreInput.open(input, source.connection?.readNow);
  // Starts the deadline before anything that may wait, and so before the settings' own limit is known.
  const deadline = Deadline.start(commandLine.timeoutSeconds ?? TIMEOUT_DEFAULT_SECONDS);
  const release = Release.pin(core, source.file === undefined ? source.crash.hostPid : null, log);
  // Releases the crashed process at the deadline, whatever else hangs then (a disk, /proc).
  deadline.signal.addEventListener("abort", () => release.letGo());
  try {
    return await takeCrash({ ...crash, core, deadline, release }, hostDir, commandLine);
  } finally {
    release.letGo();
    await release.settled();
    deadline.clear();
  }
}

async function takeCrash(
  held: Pick<Job, "uuid" | "log" | "source" | "core" | "deadline" | "release">,
  hostDir: string,
  commandLine: ComposerCommandLine,
): Promise<number> {
  const { log, core, deadline } = held;
  const { kind, crash, connection, file } = held.source;
  // The doctor itself takes a canary's core file (src/agent/canary/canary-crash.ts).
  const canary = file === undefined && isCanary(crash, hostDir);
  log.milestone("info", "dump_started", {
    ...(canary ? { canary } : {}),
    source: kind,
    exe: crash.exeName,
    pid: crash.pid,
    host_pid: crash.hostPid,
    signal: crash.signal,
    hostname: crash.hostname,
  });
  const read = await readEnvironment(hostDir, commandLine);
  const environment = canary ? { ...read, settings: settingsForCanary(read.settings) } : read;
  const { settings, complaints } = environment;
  deadline.setTimeout(settings.TIMEOUT);
  log.setLevel(LEVELS[settings.LOG_LEVEL]);
  for (const complaint of complaints) log.milestone("warn", "bad_setting", { complaint });
  const attempts = new AttemptLog();
  const gone = file?.gone;
  const metadata = openPodMetadata({ crash, gone, attempts, deadline, environment, log });
  if (connection !== undefined && !(await admit(connection, metadata, environment, log)))
    return EXIT.done;
  core.readAhead();
  // A process that has ended is not passed on: the previous handler could learn nothing more about it.
  const previous = file === undefined ? settings.PREVIOUS_HANDLER : "";
  const chain = chainPreviousHandler(previous, core, crash, log);
  // Nobody waits for why a canary crashed.
  const modules = canary ? undefined : openModuleKeeping(environment, held.uuid, attempts);
  const place = { held: held.release.process, file: coreFilePlace(held) };
  const explaining = canary
    ? undefined
    : openExplaining(settings, modules, crash, place, attempts, deadline.signal);
  const knownBugs =
    !settings.EXPLAIN || explaining === undefined || settings.KEEP_PER_BUG === 0
      ? undefined
      : new KnownBugLimit({ uuid: held.uuid, crash, settings, hostDir, log, attempts });
  try {
    const asked = { attempts, metadata, explaining, knownBugs, modules };
    return await composeDump({ ...held, canary, chain, environment, ...asked });
  } catch (error) {
    await explaining?.abandon();
    modules?.abandon();
    log.milestone("error", "dump_failed", { error: describeError(error) });
    await chain?.takeRest(core, deadline.signal);
    await chain?.end();
    throw error;
  }
}

function coreFilePlace({ core, source }: Pick<Job, "core" | "source">): CoreFilePlace | undefined {
  const { filePlace } = core;
  if (source.file === undefined || filePlace === undefined) return undefined;
  return { fd: filePlace.fd, layers: source.file.gone.known.layers };
}

const LEVELS = { Debug: "debug", Info: "info", Warn: "warn", Error: "error" } as const;
