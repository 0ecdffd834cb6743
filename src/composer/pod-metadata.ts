// What is asked of a crash beside its core: the pod's metadata, the owner's rules and the limits by namespace, as one
// task with one deadline.
import type { CrashContext } from "../model/crash-context.ts";
import type { ComposerLog } from "../host/composer-log.ts";
import type { AttemptLog } from "./attempt.ts";
import { limitCrashLoop } from "./crash-loop.ts";
import type { Deadline } from "./deadline.ts";
import { limitDumpsAtOnce } from "./dumps-at-once.ts";
import type { Environment } from "./environment.ts";
import type { GoneCrasher } from "./metadata/gone-crasher.ts";
import { NO_EVENT_FACTS, type Metadata } from "./metadata/metadata.ts";
import { decide, rulesOf } from "./metadata/rules.ts";
import { MetadataTask } from "./metadata-task.ts";

export interface MetadataContext {
  crash: CrashContext;
  /** What is known of the process already, where it is gone. */
  gone: GoneCrasher | undefined;
  attempts: AttemptLog;
  deadline: Deadline;
  environment: Environment;
  log: ComposerLog;
}

export function openPodMetadata(context: MetadataContext): MetadataTask {
  return new MetadataTask({
    collect: (onProcessRead) => collect(context, onProcessRead),
    fallback: (why) => missingMetadata(context, why),
    deadline: context.deadline.signal,
  });
}

/** Loaded when the core is flowing, not before: its code takes a while to start. */
async function collect(
  { crash, gone, attempts, deadline, environment, log }: MetadataContext,
  onProcessRead: () => void,
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
    onProcessRead,
    gone,
  );
  const context = { crash, settings, hostDir, log };
  // Not counted for the crash-loop limit where it has no place.
  return limitCrashLoop(await limitDumpsAtOnce(metadata, context), context);
}

/** Nothing is known of the pod: the owner's rules, if there are any, leave such a dump out. */
function missingMetadata({ attempts, environment }: MetadataContext, why: string): Metadata {
  attempts.record("metadata", why);
  const verdict = decide(rulesOf(environment.settings), { kind: "unknown", why });
  return { verdict, facts: {}, entries: [], event: NO_EVENT_FACTS };
}
