// The rows of `monitoring.*` and `networkPolicy.*`: objects for the Prometheus operator and Grafana, and who may reach the
// port that they read; all off. See chart-values.ts.
import type { ChartValue, JsonSchema } from "./chart-value.ts";

const LABELS: JsonSchema = { type: "object", additionalProperties: { type: "string" } };

export const MONITORING_VALUES: readonly ChartValue[] = [
  {
    path: "monitoring.podMonitor.enabled",
    fallback: false,
    about: "Make a PodMonitor (Prometheus operator) for daemonset.httpPort.",
  },
  {
    path: "monitoring.podMonitor.interval",
    fallback: "30s",
    about: "How often it is read.",
  },
  {
    path: "monitoring.podMonitor.labels",
    fallback: {},
    schema: LABELS,
    about: "Labels by which your Prometheus picks PodMonitors.",
  },
  {
    path: "monitoring.prometheusRule.enabled",
    fallback: false,
    about:
      "Make a PrometheusRule: no agent, node not ready, a check of the doctor fails, dumps lost, truncated, suppressed, evicted or dropped, deliveries fail, backlog ages, pattern drift (docs/alerts.md).",
  },
  {
    path: "monitoring.prometheusRule.backlogSeconds",
    fallback: 3600,
    schema: { type: "integer", minimum: 1 },
    about: "Age of the oldest waiting dump that is too much.",
  },
  {
    path: "monitoring.prometheusRule.runbookUrl",
    fallback: "docs/alerts.md",
    about:
      "Where docs/alerts.md can be read; each alert links to its heading. A released chart has the address of its own repository.",
  },
  {
    path: "monitoring.prometheusRule.labels",
    fallback: {},
    schema: LABELS,
    about: "Labels by which your Prometheus picks PrometheusRules.",
  },
  {
    path: "monitoring.dashboard.enabled",
    fallback: false,
    about: "Make a ConfigMap with a Grafana dashboard.",
  },
  {
    path: "monitoring.dashboard.labels",
    fallback: { grafana_dashboard: "1" },
    schema: LABELS,
    about: "Labels by which Grafana's sidecar picks dashboards.",
  },
  {
    path: "networkPolicy.enabled",
    fallback: false,
    about:
      "Make a NetworkPolicy: only networkPolicy.from reaches daemonset.httpPort. The kubelet's probes come from the node itself and are not held up by one.",
  },
  {
    path: "networkPolicy.from",
    fallback: [],
    schema: { type: "array", items: { type: "object" } },
    about: "Who may, as a NetworkPolicy's `ingress.from`: your Prometheus. Empty is nobody.",
  },
];
