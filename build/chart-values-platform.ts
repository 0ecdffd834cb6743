// The rows that shape Kubernetes objects and never reach the agent as variables. See chart-values.ts.
import { ABSOLUTE_PATH, type ChartValue, type JsonSchema, TEXT_OR_NULL } from "./chart-value.ts";

const OBJECT: JsonSchema = { type: "object" };
const OBJECTS: JsonSchema = { type: "array", items: { type: "object" } };
const TEXTS_BY_NAME: JsonSchema = { type: "object", additionalProperties: { type: "string" } };
const QUANTITY: JsonSchema = { type: ["string", "integer", "number"] };
const QUANTITY_OR_NULL: JsonSchema = { type: ["string", "integer", "null"] };

export const PLATFORM_VALUES: readonly ChartValue[] = [
  {
    path: "replicaCount",
    fallback: 1,
    about: "Accepted for values files that have it; a DaemonSet runs one pod a node.",
  },
  { path: "image.registry", fallback: "quay.io", about: "Image registry; empty leaves it out." },
  {
    path: "image.repository",
    fallback: "icdh/core-dump-handler",
    about: "Image repository; icdh/core-dump-handler-musl is the musl image.",
  },
  {
    path: "image.tag",
    fallback: "",
    schema: { type: ["string", "number"] },
    about: "Image tag; empty is the chart's appVersion.",
  },
  {
    path: "image.digest",
    fallback: "",
    schema: { type: "string", pattern: "^$|^sha256:[0-9a-f]{64}$" },
    about: "sha256:… pins the image; wins over the tag.",
  },
  {
    path: "image.pullPolicy",
    fallback: "Always",
    schema: { enum: ["Always", "IfNotPresent", "Never"] },
    about: "When the image is pulled.",
  },
  {
    path: "image.pullSecrets",
    fallback: [],
    schema: { type: "array", items: { type: ["object", "string"] } },
    about: "Pull secrets, as names or as {name: …}; imagePullSecrets below is the same.",
  },
  { path: "image.request_mem", fallback: "64Mi", schema: QUANTITY, about: "Memory request." },
  { path: "image.request_cpu", fallback: "250m", schema: QUANTITY, about: "CPU request." },
  {
    path: "image.limit_mem",
    fallback: "128Mi",
    schema: QUANTITY,
    about:
      "Memory limit. The composer is started by the kernel and does not count here, except for file capture, for which the default becomes 256Mi.",
  },
  { path: "image.limit_cpu", fallback: "500m", schema: QUANTITY, about: "CPU limit." },
  {
    path: "imagePullSecrets",
    fallback: [],
    schema: { type: "array", items: { type: ["object", "string"] } },
    about: "More pull secrets, as names or as {name: …}.",
  },
  { path: "nameOverride", fallback: "", about: "Replaces the chart's name in object names." },
  {
    path: "fullnameOverride",
    fallback: "",
    about: "Replaces release and chart name in object names.",
  },
  {
    path: "fixedNames",
    fallback: false,
    about:
      "Use the default names below as they stand, whatever the release is called, as the ancestor did: one release a cluster. Otherwise defaults gain the release's name unless the release is called core-dump-handler.",
  },
  {
    path: "usePersistentVolumes",
    fallback: false,
    about:
      "Reach the node's folders through the PersistentVolume pairs of the ancestor's chart instead of hostPath volumes. Only for clusters that rely on storageClass.",
  },
  {
    path: "storageClass",
    fallback: "hostclass",
    about: "Storage class of those volumes (usePersistentVolumes).",
  },
  {
    path: "hostStorage",
    fallback: "1Gi",
    schema: QUANTITY,
    about: "Size of hostDirectory's volume.",
  },
  {
    path: "coreStorage",
    fallback: "10Gi",
    schema: QUANTITY,
    about: "Size of coreDirectory's volume.",
  },
  {
    path: "storage",
    fallback: null,
    schema: QUANTITY_OR_NULL,
    about: "The older name of coreStorage; wins when set.",
  },
  {
    path: "eventStorage",
    fallback: "1Gi",
    schema: QUANTITY,
    about: "Size of eventDirectory's volume.",
  },
  { path: "serviceAccount.create", fallback: true, about: "Make the ServiceAccount." },
  {
    path: "serviceAccount.name",
    fallback: "core-dump-admin",
    schema: TEXT_OR_NULL,
    about: "Its name (see fixedNames); with create false, the existing one to use.",
  },
  {
    path: "serviceAccount.annotations",
    fallback: {},
    schema: { type: ["object", "null"], additionalProperties: { type: "string" } },
    about: "Annotations, such as eks.amazonaws.com/role-arn for IRSA.",
  },
  {
    path: "serviceAccount.useToken",
    fallback: false,
    about: "Make a long-lived token Secret for the ServiceAccount.",
  },
  {
    path: "serviceAccount.tokenSecretName",
    fallback: "core-dump-service-account-token",
    about: "That Secret's name (see fixedNames).",
  },
  {
    path: "rbac.create",
    fallback: true,
    about:
      "Make the Role (read the own DaemonSet, so that an uninstall is told from an update) and, for kubernetesEvents, the ClusterRole. false: grant the same yourself.",
  },
  { path: "scc.create", fallback: false, about: "Make an OpenShift SecurityContextConstraints." },
  {
    path: "scc.name",
    fallback: "core-dump-admin-privileged",
    about: "Its name (see fixedNames).",
  },
  {
    path: "clusterRole.name",
    fallback: "core-dump-event-reporter",
    about: "Name of the ClusterRole (see fixedNames), made for daemonset.kubernetesEvents only.",
  },
  {
    path: "clusterRoleBinding.name",
    fallback: "core-dump-event-report",
    about: "Name of its binding (see fixedNames).",
  },
  { path: "nodeSelector", fallback: {}, schema: OBJECT, about: "Nodes that get the agent." },
  { path: "affinity", fallback: {}, schema: OBJECT, about: "Affinity of the pods." },
  {
    path: "priorityClassName",
    fallback: null,
    schema: TEXT_OR_NULL,
    about: "Priority class of the pods; system-node-critical keeps them under pressure.",
  },
  {
    path: "tolerations",
    fallback: [],
    schema: { anyOf: [OBJECTS, { type: "object", maxProperties: 0 }] },
    about: "Taints that the pods tolerate; [{operator: Exists}] for every node.",
  },
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
    about: "SELinux label of the agent's container; {type: spc_t} where SELinux enforces.",
  },
];
