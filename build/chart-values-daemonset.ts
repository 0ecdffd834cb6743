// The rows of `daemonset.*` that shape the DaemonSet and never reach the agent as variables. See chart-values.ts.
import { ABSOLUTE_PATH, OBJECT, OBJECTS, type ChartValue, type JsonSchema } from "./chart-value.ts";

const TEXTS_BY_NAME: JsonSchema = { type: "object", additionalProperties: { type: "string" } };

export const DAEMONSET_VALUES: readonly ChartValue[] = [
  {
    path: "daemonset.name",
    fallback: "core-dump-handler",
    about: "Name of the DaemonSet (see fixedNames).",
  },
  {
    path: "daemonset.label",
    fallback: "core-dump-ds",
    about: 'Value of the pods\' label "name" (see fixedNames).',
  },
  {
    path: "daemonset.labels",
    fallback: {},
    schema: TEXTS_BY_NAME,
    about: "More labels of DaemonSet and pods.",
  },
  {
    path: "daemonset.podAnnotations",
    fallback: {},
    schema: TEXTS_BY_NAME,
    about: "Annotations of the pods.",
  },
  {
    path: "daemonset.mountContainerRuntimeEndpoint",
    fallback: false,
    about:
      "Mount the runtime's socket into the pod: for a crictl of your own there; the composer does not need it.",
  },
  {
    path: "daemonset.hostContainerRuntimeEndpoint",
    fallback: "/run/containerd/containerd.sock",
    schema: ABSOLUTE_PATH,
    about: "The socket to mount.",
  },
  {
    path: "daemonset.DeployCrioConfig",
    fallback: null,
    schema: { type: ["boolean", "null"] },
    about: "The older spelling of deployCrioConfig; wins when set.",
  },
  {
    path: "daemonset.manageStoreSecret",
    fallback: true,
    about:
      "Make the Secret from the s3 values. false: the variables come from storeSecret, envFrom, extraEnvVars, or an existing Secret s3config.",
  },
  {
    path: "daemonset.storeSecret.name",
    fallback: "",
    about: "An existing Secret with the store's keys; the chart then makes none.",
  },
  {
    path: "daemonset.storeSecret.accessKey",
    fallback: "s3AccessKey",
    about: "Its key for the access key (older documents: access-key).",
  },
  {
    path: "daemonset.storeSecret.secretKey",
    fallback: "s3Secret",
    about: "Its key for the secret (older documents: secret-key).",
  },
  {
    path: "daemonset.storeSecret.bucketName",
    fallback: "s3BucketName",
    about: "Its key for the bucket, read when s3BucketName is not set.",
  },
  {
    path: "daemonset.storeSecret.region",
    fallback: "s3Region",
    about: "Its key for the region, read when s3Region is not set.",
  },
  {
    path: "daemonset.extraEnvVars",
    fallback: "",
    schema: { anyOf: [{ type: ["string", "null"] }, OBJECTS] },
    about: "More variables: a list, or a text template of one. They win over the chart's.",
  },
  {
    path: "daemonset.envFrom",
    fallback: [],
    schema: OBJECTS,
    about: "EnvFromSource list of the agent's container.",
  },
  {
    path: "daemonset.sidecarContainers",
    fallback: [],
    schema: OBJECTS,
    about:
      "More containers. They see coreDirectory and eventDirectory and have no privileges unless their own securityContext says so.",
  },
  {
    path: "daemonset.extraVolumes",
    fallback: [],
    schema: OBJECTS,
    about: "More volumes of the pod.",
  },
  {
    path: "daemonset.extraVolumeMounts",
    fallback: [],
    schema: OBJECTS,
    about: "More mounts of the agent's container.",
  },
  {
    path: "daemonset.updateStrategy",
    fallback: {},
    schema: OBJECT,
    about: "DaemonSetUpdateStrategy.",
  },
  {
    path: "daemonset.hostNetwork",
    fallback: false,
    about:
      "Use the node's network: for stores that only the node reaches, or IMDS with hop limit 1.",
  },
  {
    path: "daemonset.terminationGracePeriodSeconds",
    fallback: 30,
    schema: { type: "integer", minimum: 0 },
    about:
      "Seconds for removal and the end of an upload part when the pod stops; with socket capture for dumps under way too, which end cut after 27.",
  },
  {
    path: "daemonset.kernelLog",
    fallback: true,
    about:
      "Give the agent CAP_SYSLOG, its only capability: to count the crashes that the kernel dropped at corePipeLimit.",
  },
  {
    path: "daemonset.privileged",
    fallback: false,
    about:
      "Run the agent's container privileged. Not needed on any kernel tried (docs/security.md); for nodes whose policy refuses the narrow set.",
  },
  {
    path: "daemonset.seLinuxOptions",
    fallback: {},
    schema: TEXTS_BY_NAME,
    about:
      "SELinux label of the agent's container: {type: spc_t} where SELinux enforces, which scc.create sets by itself.",
  },
];
