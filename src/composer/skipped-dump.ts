// Records a dump that is left out in composer.log, its only trace.
import type { ComposerLog } from "../host/composer-log.ts";
import type { CrashFields } from "../model/crash-record.ts";
import type { Metadata, Verdict } from "./metadata/metadata.ts";

/**
 * Writes the record. It is a warning where a rule leaves the dump out only because its pod is unknown, so that the
 * owner can look into it.
 */
export function logSkipped(
  log: ComposerLog,
  { reason, unidentified }: Extract<Verdict, { kind: "skip" }>,
  { facts }: Pick<Metadata, "facts">,
  more: Pick<CrashFields<"dump_skipped">, "refused" | "core_bytes"> = {},
): void {
  const known = { reason, namespace: facts.namespace ?? null, ...more };
  if (unidentified !== true) return log.milestone("info", "dump_skipped", known);
  const { guessed_namespace: namespace, guessed_podname: podname } = facts;
  log.milestone("warn", "dump_skipped", {
    ...known,
    pod_uid: facts.pod_uid ?? null,
    container_id: facts.container_id ?? null,
    cgroup: facts.cgroup ?? null,
    guessed_pod: podname ? `${namespace ?? ""}/${podname}` : null,
  });
}
