// The rows of `browser.*`: the page over all crashes as a Deployment; off. See chart-values.ts.
import { OBJECT, OBJECTS, type ChartValue } from "./chart-value.ts";

const TEXTS = { type: "array", items: { type: "string", pattern: "^[a-z0-9-]{1,63}$" } } as const;
const TEXTS_BY_NAME = { type: "object", additionalProperties: { type: "string" } } as const;

export const BROWSER_VALUES: readonly ChartValue[] = [
  {
    path: "browser.enabled",
    fallback: false,
    about:
      "Run the page over all crashes (serve) as a Deployment that listens on its pod's loopback only: `kubectl port-forward` is the door.",
  },
  {
    path: "browser.namespaces",
    fallback: [],
    schema: TEXTS,
    about: "Show only these namespaces' crashes; empty: all. Who may forward to the pod sees them.",
  },
  {
    path: "browser.port",
    fallback: 8642,
    schema: { type: "integer", minimum: 1024, maximum: 65535 },
    about: "The port on the pod's loopback.",
  },
  {
    path: "browser.s3AccessKey",
    fallback: "",
    about:
      "An access key of its own that may only list and read the bucket; the agent's is never used. Empty: none (a role, or envFrom).",
  },
  { path: "browser.s3Secret", fallback: "", about: "The secret that belongs to it." },
  {
    path: "browser.envFrom",
    fallback: [],
    schema: OBJECTS,
    about: "Sources of more variables, such as a Secret with credentials that may only read.",
  },
  {
    path: "browser.extraEnvVars",
    fallback: [],
    schema: OBJECTS,
    about: "More variables, as a list of {name, value}; they win over the chart's.",
  },
  {
    path: "browser.serviceAccount.annotations",
    fallback: {},
    schema: TEXTS_BY_NAME,
    about: "Annotations of its own ServiceAccount: a role that may only read (IRSA and the like).",
  },
  {
    path: "browser.labels",
    fallback: {},
    schema: TEXTS_BY_NAME,
    about: "More labels of its pod.",
  },
  {
    path: "browser.resources",
    fallback: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "384Mi" } },
    schema: OBJECT,
    about: "Its requests and limits.",
  },
  {
    path: "browser.cacheSize",
    fallback: "512Mi",
    about: "What its cache (an emptyDir) may hold: 100,000 crashes take 60 MiB.",
  },
  {
    path: "browser.sidecarContainers",
    fallback: [],
    schema: OBJECTS,
    about: "Containers beside it, such as oauth2-proxy (docs/operations.md).",
  },
  {
    path: "browser.extraVolumes",
    fallback: [],
    schema: OBJECTS,
    about: "More volumes, such as a CA bundle's.",
  },
  {
    path: "browser.extraVolumeMounts",
    fallback: [],
    schema: OBJECTS,
    about: "Where they are mounted.",
  },
];
