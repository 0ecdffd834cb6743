// The settings for the agent's HTTP server and log, and for the cluster around it.
import { address, choice, flag, integer, text } from "./setting.ts";

/** These settings by variable. */
export const OBSERVER_SETTINGS = {
  /** The port of /healthz, /readyz and /metrics; 0 turns the server off. */
  HTTP_PORT: integer(9180, { min: 0, max: 65_535, unit: "port number" }),
  /** The address of this host or pod on which the server listens; unset means all of them. */
  HTTP_ADDRESS: address(""),
  /** Whether the agent runs the doctor at its start; the node is ready when all checks pass. */
  DOCTOR: flag(true),
  /** What the agent does after drift: write core_pattern again, or only report it. */
  CORE_PATTERN_DRIFT: choice("reapply", ["reapply", "report"]),
  /** Whether the agent makes a Kubernetes Event on the pod whose dump it delivered; needs `create` on events. */
  KUBERNETES_EVENTS: flag(false),
  /** The agent's own pod, set by the downward API; unset outside Kubernetes. */
  POD_NAME: text(""),
  POD_NAMESPACE: text(""),
  NODE_NAME: text(""),
  /** The DaemonSet that owns the pod: `remove --when-uninstalled` asks whether it is still there. */
  DAEMONSET_NAME: text(""),
} as const;
