// Collects the metadata while the core drains: the process, its pod, container, image and logs. Every step is
// optional: a failure is recorded and never thrown.
import { CRASH_PROC_FOLDER, type DumpEntry } from "../../model/dump-entries.ts";
import type { ComposerSettings } from "../../config/composer-settings.ts";
import {
  ANNOTATION_PREFIX,
  clusterPolicy,
  readPodPolicy,
  type PodPolicy,
} from "../../config/pod-policy.ts";
import { forgetStartupCode } from "../../host/startup-code.ts";
import { describeError } from "../../model/app-error.ts";
import type { CrashContext } from "../../model/crash-context.ts";
import type { DumpInfo } from "../../model/dump-info.ts";
import type { Attempts } from "../attempt.ts";
import { ByteBudget } from "./byte-budget.ts";
import { JsonEntries } from "./json-entries.ts";
import { readCrasher, type Crasher } from "./crasher.ts";
import { crasherFacts, guessFacts, podFacts } from "./crash-facts.ts";
import { textAt, textMapAt, type JsonObject } from "../../model/json.ts";
import type { GoneCrasher, KnownPod } from "./gone-crasher.ts";
import { NO_EVENT_FACTS, type Metadata, type Verdict } from "./metadata.ts";
import { openRuntime } from "./open-runtime.ts";
import { collectPodEntries, emptyPodEntries, imageNames } from "./pod-entries.ts";
import { findPod, NO_POD, type FoundPod } from "./pod-lookup.ts";
import { readProcFiles } from "./proc-files.ts";
import { decide, hasRules, rulesOf, type PodKnowledge } from "./rules.ts";
import { Steps } from "./steps.ts";
import { verifyPinned, type PinnedThread } from "./process.ts";

/** The most bytes that wait in memory for the core's end. */
const ENTRIES_MAX_BYTES = 1.25 * 2 ** 20;

/** Where things are on the host. */
export interface Places {
  procDir: string;
  /** The composer's directory, which has crictl.yaml and a deployed crictl. */
  hostDir: string;
}

/** Whom the collection notifies on its way. */
export interface MetadataSteps {
  onProcessRead: () => void;
  onPolicy: (policy: PodPolicy) => void;
}

/**
 * Collects within CRI_TIMEOUT. The caller calls it after it has read the core's first byte. Calls onProcessRead when it
 * no longer needs the crashed process's /proc; until then the process must not be released. Calls onPolicy as soon as
 * the pod's own wishes are known, where it has a say. Never throws, and records what is missing in `attempts`.
 */
export async function collectMetadata(
  crash: CrashContext,
  settings: ComposerSettings,
  attempts: Attempts,
  signal: AbortSignal,
  places: Places,
  { onProcessRead, onPolicy }: MetadataSteps,
  gone?: GoneCrasher,
): Promise<Metadata> {
  const steps = Steps.start(attempts, settings.CRI_TIMEOUT * 1000, signal);
  const budget = new ByteBudget(ENTRIES_MAX_BYTES);
  try {
    const crasher = gone?.crasher ?? (await readCrasher(crash, places.procDir, attempts));
    const crashProc = readCrashProc(crash, crasher.thread, settings, places, steps, budget);
    void crashProc.then(onProcessRead);
    const who = { crash, crasher, known: gone?.known, onPolicy };
    const collected = await collectPod(who, crashProc, settings, places, steps, budget);
    const { verdict, entries, event } = collected;
    const facts = { ...crasherFacts(crasher), ...collected.facts };
    if (verdict.kind === "skip") return { ...collected, facts };
    const { complaints } = steps;
    return { verdict, facts, entries: [...entries, ...(await crashProc)], event, complaints };
  } catch (error) {
    const why = describeError(error);
    attempts.record("metadata", why);
    const verdict = decide(rulesOf(settings), { kind: "unknown", why });
    return { verdict, facts: {}, entries: [], event: NO_EVENT_FACTS };
  } finally {
    steps.dispose();
  }
}

/** Reads the crashing process's /proc files, where the owner wants them and the kernel allows them. */
async function readCrashProc(
  { dumpable }: CrashContext,
  thread: PinnedThread | null,
  settings: ComposerSettings,
  { procDir }: Places,
  steps: Steps,
  budget: ByteBudget,
): Promise<DumpEntry[]> {
  if (!settings.INCLUDE_PROC_INFO || settings.IGNORE_CRIO || thread === null) return [];
  if (dumpable !== 1 && !settings.INCLUDE_UNDUMPABLE_PROC_INFO) {
    steps.record(
      CRASH_PROC_FOLDER.slice(1),
      `process is not dumpable (%d is ${dumpable ?? "unknown"})`,
    );
    return [];
  }
  const pin = () => {
    verifyPinned(procDir, thread);
    return thread;
  };
  return readProcFiles({ procDir, pin, prefix: CRASH_PROC_FOLDER }, steps, budget);
}

/** Returns whether a name needs the pod. */
function namesPod(template: string): boolean {
  return /\{\s*(namespace|podname)\s*\}/.test(template);
}

interface Who {
  crash: CrashContext;
  crasher: Crasher;
  /** What the runtime told about the pod when the harvest found the core. */
  known: KnownPod | undefined;
  onPolicy: (policy: PodPolicy) => void;
}

async function collectPod(
  { crash, crasher: { identity, thread }, known, onPolicy }: Who,
  crashProc: Promise<DumpEntry[]>,
  settings: ComposerSettings,
  places: Places,
  steps: Steps,
  budget: ByteBudget,
): Promise<Metadata> {
  const rules = rulesOf(settings);
  const nothing: Metadata = {
    verdict: decide(rules, { kind: "no_pod" }),
    facts: {},
    entries: [],
    event: NO_EVENT_FACTS,
  };
  if (identity.kind === "host") return nothing;
  const asksNobody = settings.IGNORE_CRIO && !settings.POD_POLICY;
  if (asksNobody && !hasRules(rules) && !namesPod(settings.FILENAME_TEMPLATE)) return nothing;

  const runtime = await openRuntime(settings, places.hostDir, steps);
  try {
    const { found: asked, guessed } =
      runtime === null ? NO_POD : await findPod(runtime, identity, crash.hostname, steps);
    const found = asked ?? knownPod(known);
    const policy = policyOf(settings, found);
    steps.complaints.push(...policy.complaints);
    onPolicy(policy);
    const ruled = decide(rules, knowledgeOf(found, guessed));
    const verdict = ruled.kind === "collect" && !policy.collect ? REFUSED : ruled;
    const wished: Partial<DumpInfo> = settings.POD_POLICY ? { priority: policy.priority } : {};
    // Without the runtime's entries a dump still has its name, and who it was.
    const isNamed = verdict === REFUSED || settings.IGNORE_CRIO;
    const named = isNamed && found !== null ? podFacts(found, NO_CONTAINERS) : {};
    const facts = { ...wished, ...named, ...(found === null ? guessFacts(guessed) : {}) };
    if (verdict.kind === "skip" || settings.IGNORE_CRIO) return { ...nothing, verdict, facts };
    const json = new JsonEntries(budget, steps);
    if (found === null) return { ...nothing, verdict, facts, entries: emptyPodEntries(json) };
    if (runtime === null) return { ...nothing, verdict, ...knownOnly(found, known, json) };
    // Frees memory that is no longer needed, because a pod's description may be long.
    forgetStartupCode();
    const crashedId = identity.kind === "container" ? identity.containerId : null;
    const pod = await collectPodEntries({
      runtime,
      pod: found.pod,
      crashedId,
      knownContainer: known?.container ?? null,
      logLines: settings.LOG_LENGTH,
      proc: settings.INCLUDE_PROC_INFO
        ? {
            procDir: places.procDir,
            includeUndumpable: settings.INCLUDE_UNDUMPABLE_PROC_INFO,
            crashed: {
              hostPid: thread?.pid ?? null,
              isFirst: crash.pid === 1,
              entries: await crashProc,
            },
          }
        : null,
      steps,
      budget,
      json,
    });
    return {
      verdict,
      facts: { ...wished, ...podFacts(found, pod) },
      entries: pod.entries,
      event: { imageList: imageNames(pod.images), labels: eventLabels(found.pod) },
    };
  } finally {
    runtime?.close();
  }
}

const NO_CONTAINERS = { entries: [], containers: [], images: [], crashedIndex: null };

const REFUSED: Verdict = {
  kind: "skip",
  reason: `the pod's annotation ${ANNOTATION_PREFIX}collect is false`,
};

/** Returns the wishes of a pod that is certain; a guessed one may be another tenant's. */
function policyOf(settings: ComposerSettings, found: FoundPod | null): PodPolicy {
  if (!settings.POD_POLICY || found === null) return clusterPolicy(settings);
  return readPodPolicy(textMapAt(found.pod, "annotations"), settings);
}

/** Returns the pod as the runtime described it earlier, for a runtime that has forgotten it. */
function knownPod(known: KnownPod | undefined): FoundPod | null {
  const pod = known?.pod ?? null;
  return pod === null ? null : { pod, identity: "core_file" };
}

/** Makes the metadata of a pod that is known although the runtime does not answer. */
function knownOnly(
  found: FoundPod,
  known: KnownPod | undefined,
  json: JsonEntries,
): Pick<Metadata, "facts" | "entries"> {
  const container = known?.container ?? null;
  const crashed = container === null ? [] : [container];
  const crashedIndex = container === null ? null : 0;
  const facts = podFacts(found, { entries: [], containers: crashed, images: [], crashedIndex });
  // There are no numbered entries.
  return { facts: { ...facts, container_index: null }, entries: emptyPodEntries(json, found.pod) };
}

/** Returns what the owner's rules may use. */
function knowledgeOf(found: FoundPod | null, guessed: JsonObject | null): PodKnowledge {
  if (found === null && guessed !== null)
    return {
      kind: "unknown",
      why: "the pod is only guessed by its host name",
      guessedLabels: textMapAt(guessed, "labels"),
    };
  if (found === null) return { kind: "unknown", why: "the pod was not found" };
  return {
    kind: "pod",
    namespace: textAt(found.pod, "metadata", "namespace"),
    labels: textMapAt(found.pod, "labels"),
  };
}

function eventLabels(pod: JsonObject): Record<string, string> {
  const labels = Object.entries(textMapAt(pod, "labels"));
  return Object.fromEntries(labels.filter(([name]) => name.startsWith("info.coredump")));
}
