// Whether a core goes through a source of its own: where the owner, or a pod that may, wants small ones.
import type { ComposerSettings } from "../../config/composer-settings.ts";
import { clusterPolicy } from "../../config/pod-policy.ts";
import type { Attempts } from "../attempt.ts";
import type { MetadataTask } from "../metadata-task.ts";
import type { DumpInfo } from "../../model/dump-info.ts";
import type { Job } from "../job.ts";
import { CoreSource, type WantedContent } from "./core-source.ts";
import type { MemoryPlace } from "./small-core.ts";

const PROC_DIR = "/proc";
/** How long memory is copied at most, in ms, and which part of TIMEOUT. */
const COPY_MAX_MS = 2_000;
const COPY_SHARE = 0.5;
/** How long the core waits for the container runtime, in ms. */
const POLICY_MAX_MS = 2_000;

/** Returns undefined where every core is drained as it comes. `note` writes into the dump-info that is there so far. */
export function openCoreSource(
  { environment, core, source, attempts, release, metadata }: Job,
  onFirstBytes: () => void,
  note: (facts: Partial<DumpInfo>) => Promise<void>,
): CoreSource | undefined {
  const { settings } = environment;
  if (settings.CORE_CONTENT === "full" && !settings.POD_POLICY) return undefined;
  const { crash, file } = source;
  return new CoreSource({
    input: core,
    onFirstBytes,
    onSmall: (facts) => attempts.attempt("dump-info", () => note(facts), undefined),
    wanted: () => wantedContent(settings, metadata, attempts),
    place: file === undefined ? placeOf(release.process, crash.hostTid) : core.filePlace,
    fileBytes: file?.sizeBytes,
    attempts,
    procDir: PROC_DIR,
    maxMs: Math.min(COPY_MAX_MS, settings.TIMEOUT * 1000 * COPY_SHARE),
  });
}

/** The owner's settings, within which the pod may have a say: then it is waited for, a moment. */
async function wantedContent(
  settings: ComposerSettings,
  metadata: MetadataTask,
  attempts: Attempts,
): Promise<WantedContent> {
  const own = settings.POD_POLICY ? await metadata.policyWithin(POLICY_MAX_MS) : undefined;
  if (own === "late")
    attempts.record("pod policy", `not known after ${POLICY_MAX_MS} ms: the settings count`);
  const { content, maxCoreBytes } =
    own === undefined || own === "late" ? clusterPolicy(settings) : own;
  return { content, maxCoreBytes, fullMaxBytes: settings.FULL_CORE_MAX };
}

function placeOf(held: Job["release"]["process"], tid: number | null): MemoryPlace | undefined {
  if (held === undefined) return undefined;
  return { kind: "held", procDir: PROC_DIR, held, tid: tid ?? held.pid };
}
