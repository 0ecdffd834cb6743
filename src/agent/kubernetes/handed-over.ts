// Has another program taken the DaemonSet over, as `helm rollback` to a release of IBM's chart does? Its agent would keep
// this program's core_pattern as the host's own, and restore it one day to a program that is gone.
import * as v from "valibot";
import { pause } from "../../host/timer.ts";
import type { KubernetesAnswer, KubernetesApi } from "./kubernetes-api.ts";

/** The argument of the chart's preStop hook (chart/templates/daemonset.yaml). */
const HOOK_ARGUMENT = "--when-uninstalled";

const template = v.object({ spec: v.object({ template: v.object({ spec: v.unknown() }) }) });

/**
 * Returns whether the DaemonSet's pods no longer have the hook that asks this. Only a pod that has it asks, so the
 * template has changed since, to another chart's.
 */
export function runsAnotherProgram({ body }: KubernetesAnswer): boolean {
  const parsed = v.safeParse(template, body);
  return (
    parsed.success && !JSON.stringify(parsed.output.spec.template.spec).includes(HOOK_ARGUMENT)
  );
}

const REVIEWS_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const reviewed = v.object({ status: v.object({ allowed: v.boolean() }) });
/** Twice, so that a Role that is just being replaced does not count. */
const REVIEWS = 2;

/**
 * Returns whether the right to read the DaemonSet was taken away: the rollback of a release deletes its Role a moment
 * after it has changed the DaemonSet. Whoever has a token may ask this, so an API server whose rules are not loaded yet
 * refuses the question itself, which proves nothing.
 */
export async function isRightGone(
  {
    POD_NAMESPACE: namespace,
    DAEMONSET_NAME: name,
  }: Record<"POD_NAMESPACE" | "DAEMONSET_NAME", string>,
  api: KubernetesApi,
  pauseMs: number,
): Promise<boolean> {
  const resourceAttributes = {
    namespace,
    name,
    verb: "get",
    group: "apps",
    resource: "daemonsets",
  };
  const review = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes },
  };
  for (let asked = 0; asked < REVIEWS; asked++) {
    if (asked > 0) await pause(pauseMs, new AbortController().signal);
    const { status, body } = await api.post(REVIEWS_PATH, review);
    const parsed = v.safeParse(reviewed, body);
    if (status !== 201 || !parsed.success || parsed.output.status.allowed) return false;
  }
  return true;
}
