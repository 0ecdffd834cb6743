// Collects the pod's metadata, applies the owner's rules and the limits by namespace, as one task with one deadline.
import type { CrashContext } from "../model/crash-context.ts";
import type { ComposerLog } from "../host/composer-log.ts";
import type { AttemptLog } from "./attempt.ts";
import { limitCrashLoop } from "./crash-loop-limit.ts";
import type { Deadline } from "./deadline.ts";
import { limitDumpsAtOnce } from "./dumps-at-once.ts";
import type { Environment } from "./environment.ts";
import type { GoneCrasher } from "./metadata/gone-crasher.ts";
import { NO_EVENT_FACTS, type Metadata } from "./metadata/metadata.ts";
import { decide, rulesOf } from "./metadata/rules.ts";
import type { MetadataSteps } from "./metadata/collect.ts";
import { MetadataTask } from "./metadata-task.ts";

/** What the task needs to know. */
export interface MetadataContext {
  crash: CrashContext;
  /** What is known about a process that has ended; undefined for one that the kernel holds. */
  gone: GoneCrasher | undefined;
  attempts: AttemptLog;
  deadline: Deadline;
  environment: Environment;
  log: ComposerLog;
}

/** Makes the task, which the caller starts. */
export function openPodMetadata(context: MetadataContext): MetadataTask {
  return new MetadataTask({
    collect: (steps) => collect(context, steps),
    fallback: (why) => missingMetadata(context, why),
    deadline: context.deadline.signal,
  });
}

/** Loads the code only when the core flows, because it takes a while to start. */
async function collect(
  { crash, gone, attempts, deadline, environment, log }: MetadataContext,
  steps: MetadataSteps,
): Promise<Metadata> {
  const { collectMetadata } = await import("./metadata/collect.ts");
  const { settings, hostDir } = environment;
  const places = { procDir: "/proc", hostDir };
  const metadata = await collectMetadata(
    crash,
    settings,
    attempts,
    deadline.signal,
    places,
    steps,
    gone,
  );
  const context = { crash, settings, hostDir, log };
  // A dump without a place does not count for the crash-loop limit.
  return limitCrashLoop(await limitDumpsAtOnce(metadata, context), context);
}

/** Returns the metadata of a crash whose pod is unknown; any rules of the owner's leave such a dump out. */
function missingMetadata({ attempts, environment }: MetadataContext, why: string): Metadata {
  attempts.record("metadata", why);
  const verdict = decide(rulesOf(environment.settings), { kind: "unknown", why });
  return { verdict, facts: {}, entries: [], event: NO_EVENT_FACTS };
}
