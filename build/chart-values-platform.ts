// The rows that shape Kubernetes objects and never reach the agent as variables, but for the DaemonSet's own
// (chart-values-daemonset.ts). See chart-values.ts.
import { OBJECT, OBJECTS, TEXT_OR_NULL, type ChartValue, type JsonSchema } from "./chart-value.ts";

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
      "Memory limit. The composer is started by the kernel and does not count here, except for file capture, for which the default becomes 384Mi.",
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
      "Make the Role (read the own DaemonSet and namespace, so that an uninstall is told from an update) and, for kubernetesEvents, the ClusterRole. false: grant the same yourself.",
  },
  {
    path: "cleanup.enabled",
    fallback: true,
    about:
      "Behind helm uninstall, run a pod on every node that gives its core_pattern back and removes the composer, also where the agent's container does not run. Needs rbac.create.",
  },
  {
    path: "cleanup.seconds",
    fallback: 120,
    schema: { type: "integer", minimum: 1, maximum: 86400 },
    about:
      "How long helm uninstall waits for that. A node that is not reached by then keeps what was installed, and the uninstall says so.",
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
  {
    path: "nodeSelector",
    fallback: {},
    schema: OBJECT,
    about:
      "Nodes that get the agent; kubernetes.io/os: linux is added unless that label is set here.",
  },
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
];
