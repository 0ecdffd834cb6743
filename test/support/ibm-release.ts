// The objects of a release of IBM's chart 9.0.0 as a cluster has them afterwards: kinds, names, labels, the fields that
// cannot be changed, and the keys. Facts of its surface, written anew; what the API server and the volume controller
// add (a type of "", the bound volume) is added here too.
import type { ClusterObject } from "./helm-cluster.ts";
import { IBM_DEFAULTS, type Values } from "./ibm-values.ts";

export interface IbmRelease {
  name?: string;
  namespace?: string;
}

interface Daemonset extends Values {
  name: string;
  label: string;
  hostDirectory: string;
  coreDirectory: string;
  eventDirectory: string;
  manageStoreSecret: boolean;
}

/** Its agent's variables by the value that each comes from; the store's four come from the Secret s3config. */
const VARIABLES: Readonly<Record<string, string>> = {
  COMP_FILENAME_TEMPLATE: "composer.filenameTemplate",
  COMP_LOG_LENGTH: "composer.logLength",
  COMP_LOG_LEVEL: "composer.logLevel",
  COMP_IGNORE_CRIO: "composer.ignoreCrio",
  COMP_INCLUDE_PROC_INFO: "composer.includeProcInfo",
  COMP_CRIO_IMAGE_CMD: "composer.crioImageCmd",
  COMP_POD_SELECTOR_LABEL: "composer.podSelectorLabel",
  COMP_TIMEOUT: "composer.timeout",
  COMP_COMPRESSION: "composer.compression",
  COMP_CORE_EVENTS: "composer.coreEvents",
  COMP_CORE_EVENT_DIR: "daemonset.eventDirectory",
  DEPLOY_CRIO_CONFIG: "daemonset.deployCrioConfig",
  CRIO_ENDPOINT: "daemonset.crioEndpoint",
  HOST_DIR: "daemonset.hostDirectory",
  CORE_DIR: "daemonset.coreDirectory",
  EVENT_DIR: "daemonset.eventDirectory",
  SUID_DUMPABLE: "daemonset.suidDumpable",
  DEPLOY_CRIO_EXE: "daemonset.includeCrioExe",
  VENDOR: "daemonset.vendor",
  INTERVAL: "daemonset.interval",
  SCHEDULE: "daemonset.schedule",
  USE_INOTIFY: "daemonset.useINotify",
};

/** The agent's variables with these values; "" for what the values leave out. */
export function ibmVariables(given: Values): Map<string, string> {
  const values = merge(IBM_DEFAULTS, given);
  return new Map(Object.entries(VARIABLES).map(([name, path]) => [name, textOf(at(values, path))]));
}

/** All objects, in the order of their kinds. */
export function ibmObjects(
  given: Values,
  { name: release = "core-dump-handler", namespace = "observe" }: IbmRelease = {},
): ClusterObject[] {
  const values = merge(IBM_DEFAULTS, given);
  const text = (path: string) => textOf(at(values, path));
  const isOn = (path: string) => at(values, path) === true;
  const owned = {
    labels: { "app.kubernetes.io/managed-by": "Helm" },
    annotations: {
      "meta.helm.sh/release-name": release,
      "meta.helm.sh/release-namespace": namespace,
    },
  };
  const inNamespace = (objectName: string) => ({ name: objectName, namespace, ...owned });
  const account = text("serviceAccount.name");
  const daemonset = values["daemonset"] as Daemonset;
  const sizes: Record<string, string> = {
    host: text("hostStorage"),
    core: text("coreStorage"),
    event: text("eventStorage"),
  };
  const folders = ["host", "core", ...(isOn("composer.coreEvents") ? ["event"] : [])];

  const volumes = folders.flatMap((folder): ClusterObject[] => {
    const size = { storage: sizes[folder] };
    const claim = `${folder}-storage-pvc`;
    const volume = `${folder}-volume`;
    const common = { storageClassName: text("storageClass"), accessModes: ["ReadWriteOnce"] };
    return [
      {
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name: volume, ...owned, labels: { ...owned.labels, type: "local" } },
        spec: {
          ...common,
          capacity: size,
          persistentVolumeReclaimPolicy: "Retain",
          volumeMode: "Filesystem",
          claimRef: { namespace, name: claim, uid: "1" },
          hostPath: { path: text(`daemonset.${folder}Directory`), type: "" },
        },
      },
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: inNamespace(claim),
        spec: {
          ...common,
          volumeMode: "Filesystem",
          resources: { requests: size },
          volumeName: volume,
        },
      },
    ];
  });
  const secret: ClusterObject = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: inNamespace("s3config"),
    type: "Opaque",
    data: Object.fromEntries(
      ["s3AccessKey", "s3Secret", "s3BucketName", "s3Region"].map((key) => [
        key,
        btoa(text(`daemonset.${key}`)),
      ]),
    ),
  };
  const rbac = "rbac.authorization.k8s.io/v1";
  return [
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: {
        ...inNamespace(account),
        annotations: { ...owned.annotations, ...(at(values, "serviceAccount.annotations") as {}) },
      },
    },
    ...(daemonset.manageStoreSecret ? [secret] : []),
    ...volumes,
    {
      apiVersion: rbac,
      kind: "ClusterRole",
      metadata: { name: text("clusterRole.name"), ...owned },
      rules: [{ apiGroups: [""], resources: ["events"], verbs: ["create"] }],
    },
    {
      apiVersion: rbac,
      kind: "ClusterRoleBinding",
      metadata: { name: text("clusterRoleBinding.name"), ...owned },
      roleRef: {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "ClusterRole",
        name: text("clusterRole.name"),
      },
      subjects: [{ kind: "ServiceAccount", name: account, namespace }],
    },
    {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: inNamespace(daemonset.name),
      spec: {
        selector: { matchLabels: { name: daemonset.label } },
        template: {
          metadata: { labels: { name: daemonset.label } },
          spec: {
            serviceAccountName: account,
            containers: [
              {
                name: "coredump-container",
                command: ["/app/core-dump-agent"],
                lifecycle: { preStop: { exec: { command: ["/app/core-dump-agent", "remove"] } } },
              },
            ],
          },
        },
      },
    },
    ...(isOn("scc.create") ? [privilegedConstraint(text("scc.name"), account, namespace)] : []),
  ];
}

/** Made by a hook before the install, so that no release owns it and no upgrade removes it. */
function privilegedConstraint(name: string, account: string, namespace: string): ClusterObject {
  return {
    apiVersion: "security.openshift.io/v1",
    kind: "SecurityContextConstraints",
    metadata: { name, annotations: { "helm.sh/hook": "pre-install" } },
    allowPrivilegedContainer: true,
    users: [`system:serviceaccount:${namespace}:${account}`],
  };
}

/** As helm writes a plain value; "" for one that is not set. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
}

function at(values: Values, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((found, key) => (found as Values | undefined)?.[key], values);
}

/** As helm does it: groups are merged, everything else is replaced. */
export function merge(below: Values, above: Values): Values {
  const merged: Values = { ...below };
  for (const [key, value] of Object.entries(above))
    merged[key] = isGroup(value) && isGroup(below[key]) ? merge(below[key], value) : value;
  return merged;
}

function isGroup(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
