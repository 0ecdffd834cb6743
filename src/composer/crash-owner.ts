// Finds the owner of a crash, for the limits, in its metadata. No value that the crashed pod chooses decides the
// namespace.
import * as v from "valibot";
import type { CrashContext } from "../model/crash-context.ts";
import { POD_INFO_SUFFIX } from "../model/dump-entries.ts";
import { namespaceOwner } from "../model/dump-owner.ts";
import type { DumpPriority } from "../model/dump-priority.ts";
import { hashWorkload, workloadKey } from "../model/workload.ts";
import type { Metadata } from "./metadata/metadata.ts";

/** The owner of a crash. */
export interface CrashOwner {
  /** As namespaceOwner has it. */
  namespace: string;
  /** The workload's hash. */
  workload: string;
  priority: DumpPriority;
  /** The workload's key, for the log. */
  workloadKey: string;
}

const podSchema = v.object({ labels: v.record(v.string(), v.string()) });

/** Returns the owner of a crash. Never throws. */
export function ownerOfCrash(
  crash: CrashContext,
  { facts, entries }: Pick<Metadata, "facts" | "entries">,
): CrashOwner {
  const pod = entries.find(({ suffix }) => suffix === POD_INFO_SUFFIX);
  const key = workloadKey({
    namespace: facts.namespace ?? null,
    podname: facts.podname ?? null,
    labels: pod === undefined ? {} : labelsOf(pod.data),
    container: facts.container_name ?? null,
    executable: facts.exe_path ?? (crash.pathname || crash.exeName),
    signal: String(crash.signal ?? ""),
  });
  return {
    namespace: namespaceOwner(facts),
    workload: hashWorkload(key),
    priority: facts.priority ?? "normal",
    workloadKey: key,
  };
}

function labelsOf(podInfo: Uint8Array): Readonly<Record<string, string>> {
  try {
    return v.parse(podSchema, JSON.parse(Buffer.from(podInfo).toString("utf8"))).labels;
  } catch {
    return {}; // without a pod's labels the pod's name identifies the workload
  }
}
