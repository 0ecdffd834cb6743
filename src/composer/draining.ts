// Drains one core into an open dump. Starts the metadata at the first byte, checks the disk's limits on the way, and
// releases the crashed process at the last byte, when a part of the core may still lie in a spool.
import type { ComposerSettings } from "../config/composer-settings.ts";
import { forgetStartupCode } from "../host/startup-code.ts";
import { untilAborted } from "../host/timer.ts";
import { compressionOf } from "../model/core-compression.ts";
import { describeError } from "../model/app-error.ts";
import { UNKNOWN_OWNER } from "../model/dump-owner.ts";
import { CoreDrain, type DrainEnd } from "./core-drain.ts";
import { ownerOfCrash } from "./crash-owner.ts";
import type { ContentFacts } from "./small-core/core-source.ts";
import { openDiskLimits, type DiskRules } from "./disk-limits.ts";
import { whyNoFileList } from "./dump-facts.ts";
import { openCoreSource } from "./small-core/opening.ts";
import type { Job } from "./job.ts";
import type { Metadata } from "./metadata/metadata.ts";
import type { OpenedDump } from "./opening.ts";
import { lowerPoolPriority } from "./pool-threads.ts";
import { spoolLimitOf } from "./spool-limit.ts";
import { Spool } from "./spool.ts";

/** Behind so many bytes of a core everything that goes on beside it is under way. */
const STARTED_BYTES = 64 << 20;

/** The result of a drain. */
export interface Drained {
  drain: CoreDrain;
  end: DrainEnd;
  found: Metadata;
  content: ContentFacts;
  /** False where the crashed process ended before its core could be whole. */
  isWhole: boolean;
  /** How long the drain held the crashed process, in ms. */
  drainedMs: number;
}

/** Drains until the core's end or the deadline, and then waits for the metadata. */
export async function drainCore(job: Job, opened: OpenedDump): Promise<Drained> {
  const { uuid, core, release, chain, deadline, environment, log, attempts, metadata } = job;
  const { file, archive } = opened;
  const { explaining, knownBugs } = job;
  const { settings, coreDir, hostDir } = environment;
  const compression = compressionOf(settings.COMPRESSION);
  const startedMs = Date.now();
  let drainedMs = 0;
  let passedBytes = 0;
  let namespace = UNKNOWN_OWNER;
  const rules = diskRules(settings);
  const limits = openDiskLimits({ coreDir, hostDir, uuid, rules, log, asker: () => namespace });
  const skipped = Promise.withResolvers<void>();
  const begin = once(() => {
    // The start is over, and the peak is to come.
    forgetStartupCode();
    metadata.start(() => {
      drain.stop("skipped");
      skipped.resolve();
    });
    void metadata.result().then((found) => {
      noteOwner(found);
      // What asking the runtime took is not needed again.
      forgetStartupCode();
      Bun.gc(true);
    });
    if (explaining !== undefined)
      void knownBugs?.watch(explaining.bug(), metadata.result(), () => drain.stop("known_bug"));
  });
  const source = openCoreSource(job, begin, opened.note);
  const spool = hasSpool(job)
    ? new Spool({
        create: () => file.createSpool(),
        limitBytes: () => spoolLimitOf(limits.room, settings.SPOOL_MAX),
        onStep: () => limits.measureAgain(),
        onReady: () => drain.wake(),
        onPause: (why) => log.detail("debug", "spool_paused", { why }),
      })
    : undefined;
  const drain = new CoreDrain(source ?? core, archive, {
    compression,
    spool,
    get maxCoreBytes() {
      return source?.maxCoreBytes ?? settings.MAX_CORE_SIZE;
    },
    hasSpace: (sizeBytes) => limits.hasSpace(sizeBytes),
    onBytes: (bytes) => {
      explaining?.take(bytes);
      const isStarting = passedBytes < STARTED_BYTES;
      passedBytes += bytes.length;
      // What metadata and explaining needed is not needed again, and a large core's peak is to come.
      if (isStarting && passedBytes >= STARTED_BYTES) forgetStartupCode();
    },
    onFirstBytes: begin,
    onLastBytes: async () => {
      // Without a first byte (a full disk), reads the process now, before it is released.
      metadata.start();
      await metadata.processRead();
      await explaining?.copied();
      // The previous handler still gets the whole core, even where this dump is cut or left out.
      await chain?.takeRest(core, deadline.signal);
      await chain?.end();
      release.letGo();
      drainedMs = Date.now() - startedMs;
      explaining?.hurry();
      lowerPoolPriority();
    },
    onReadError: (error) =>
      attempts.record("core", `could not be read on: ${describeError(error)}`),
  });
  /** Marks the partial, so that a large dump under way counts for its namespace. */
  function noteOwner(found: Metadata): void {
    const owner = ownerOfCrash(job.source.crash, found);
    namespace = owner.namespace;
    file.markOwner(owner);
  }
  deadline.signal.addEventListener("abort", () => drain.stop("timeout"));
  if (deadline.passed) drain.stop("timeout");
  file.onFull = () => drain.makeRoom();

  // The limit of the core's size may be the pod's.
  if (source !== undefined)
    await Promise.race([source.ready(), skipped.promise, untilAborted(deadline.signal)]);
  const end = await drain.run();
  limits.end();
  const content = source?.facts ?? FULL_CONTENT;
  const isWhole = source?.isWhole ?? true;
  source?.close();
  // Everything is in the zip. After an error the spool stays for the agent, as the partial does.
  await spool?.remove();
  log.detail("debug", "core_drained", { end, core_bytes: drain.written.sizeBytes });
  if (drain.elf.lacksFiles) attempts.record("list of mapped files", whyNoFileList());
  const found = await metadata.result();
  noteOwner(found);
  return { drain, end, found, drainedMs, content, isWhole };
}

const FULL_CONTENT: ContentFacts = { core_content: "full", core_omitted_bytes: 0 };

function once(fn: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) fn();
    isDone = true;
  };
}

/** Nobody waits for a core that lies in a file, and a stored core is written as fast as a spool would be. */
function hasSpool({ source, environment: { settings } }: Job): boolean {
  return source.file === undefined && settings.COMPRESSION !== false && settings.SPOOL_MAX !== "0";
}

function diskRules({ DISK_QUOTA, DISK_FREE, DISK_RESERVE }: ComposerSettings): DiskRules {
  return { quota: DISK_QUOTA, free: DISK_FREE, reserveBytes: DISK_RESERVE };
}
