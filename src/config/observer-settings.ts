// How the agent is seen from outside, and what it knows of the cluster around it.
import { address, choice, flag, integer, text } from "./setting.ts";

export const OBSERVER_SETTINGS = {
  /** /healthz, /readyz and /metrics; 0 is off. */
  HTTP_PORT: integer(9180, { min: 0, max: 65_535, unit: "port number" }),
  /** The address of this host or pod that it is served on; unset is every one. */
  HTTP_ADDRESS: address(""),
  /** The doctor at the agent's start: the node is ready when all of its checks are well. */
  DOCTOR: flag(true),
  /** Another tool took core_pattern: take it back, or just say so. */
  CORE_PATTERN_DRIFT: choice("reapply", ["reapply", "report"]),
  /** A Kubernetes Event on the pod whose dump was delivered; needs `create` on events. */
  KUBERNETES_EVENTS: flag(false),
  /** By the downward API. Unset outside Kubernetes. */
  POD_NAME: text(""),
  POD_NAMESPACE: text(""),
  NODE_NAME: text(""),
  /** The DaemonSet that owns the pod: `remove --when-uninstalled` asks whether it is still there. */
  DAEMONSET_NAME: text(""),
} as const;
