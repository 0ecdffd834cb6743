// A dump that is left out, in composer.log: nothing else is left of it.
import type { ComposerLog } from "../host/composer-log.ts";
import type { Metadata, Verdict } from "./metadata/metadata.ts";

/** A warning where it is left out only because nobody knows whose it is: the owner may want to know better. */
export function logSkipped(
  log: ComposerLog,
  { reason, unidentified }: Extract<Verdict, { kind: "skip" }>,
  { facts }: Pick<Metadata, "facts">,
  more: Readonly<Record<string, boolean | number>> = {},
): void {
  if (unidentified !== true) return log.milestone("info", "dump_skipped", { reason, ...more });
  const { guessed_namespace: namespace, guessed_podname: podname } = facts;
  log.milestone("warn", "dump_skipped", {
    reason,
    pod_uid: facts.pod_uid ?? null,
    container_id: facts.container_id ?? null,
    cgroup: facts.cgroup ?? null,
    guessed_pod: podname ? `${namespace ?? ""}/${podname}` : null,
    ...more,
  });
}
