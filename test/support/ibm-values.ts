// The values files of IBM's chart 9.0.0, and those of its own checks (ci/), as what they set. Facts, written anew.
export type Values = { [key: string]: unknown };

const OPENSHIFT_FOLDERS = {
  hostDirectory: "/mnt/core-dump-handler",
  coreDirectory: "/mnt/core-dump-handler/cores",
};
const OPENSHIFT_ACCOUNT = {
  serviceAccount: { create: true, name: "core-dump-admin" },
  scc: { create: true, name: "core-dump-admin-privileged" },
};
const ROLE = {
  annotations: {
    "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789000:role/iam-role-name-here",
  },
};

/** By the file's name without `values.` and `.yaml`. */
export const IBM_PROVIDERS: Readonly<Record<string, Values>> = {
  aws: { daemonset: { includeCrioExe: true } },
  "aws.sts": { daemonset: { includeCrioExe: true, vendor: "rhel7" }, serviceAccount: ROLE },
  "aws.bottlerocket": {
    daemonset: {
      includeCrioExe: true,
      deployCrioConfig: true,
      vendor: "default",
      crioEndpoint: "unix:///run/dockershim.sock",
      mountContainerRuntimeEndpoint: true,
      hostContainerRuntimeEndpoint: "/run/dockershim.sock",
    },
    serviceAccount: ROLE,
  },
  openshift: {
    daemonset: { ...OPENSHIFT_FOLDERS, vendor: "default" },
    composer: { crioImageCmd: "images" },
    ...OPENSHIFT_ACCOUNT,
  },
  roks: {
    daemonset: { ...OPENSHIFT_FOLDERS, vendor: "rhel7" },
    composer: { crioImageCmd: "img" },
    ...OPENSHIFT_ACCOUNT,
  },
  do: { daemonset: { deployCrioConfig: true, composerCrioImageCmd: "images" } },
  "gke-cos": {
    daemonset: { hostDirectory: "/home/kubernetes/bin", coreDirectory: "/home/kubernetes/cores" },
  },
  ibm: { daemonset: { vendor: "rhel7" } },
  minikube: {
    storageClass: "standard",
    image: { tag: "latest" },
    composer: { logLevel: "Debug", coreEvents: true },
    daemonset: {
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
      mountContainerRuntimeEndpoint: true,
      hostContainerRuntimeEndpoint: "/var/run/cri-dockerd.sock",
      crioEndpoint: "unix:///var/run/cri-dockerd.sock",
      deployCrioConfig: true,
      includeCrioExe: true,
      sidecarContainers: [{ name: "simple-printer", image: "alpine", command: ["/bin/sh"] }],
    },
  },
};

/** What each file of ci/ sets in full. */
const CI = {
  replicaCount: 1,
  image: {
    registry: "quay.io",
    repository: "icdh/core-dump-handler",
    tag: "main",
    pullPolicy: "Always",
    request_mem: "64Mi",
    request_cpu: "250m",
    limit_mem: "128Mi",
    limit_cpu: "500m",
  },
  imagePullSecrets: [],
  nameOverride: "",
  fullnameOverride: "",
  hostStorage: "1Gi",
  coreStorage: "10Gi",
  storageClass: "hostclass",
  composer: {
    ignoreCrio: false,
    crioImageCmd: "img",
    logLevel: "Warn",
    filenameTemplate: "{{uuid}}-dump-{{timestamp}}-{{hostname}}-{{exe_name}}-{{pid}}-{{signal}}",
    logLength: 500,
    podSelectorLabel: "",
  },
  serviceAccount: { create: true, name: "core-dump-admin" },
  clusterRole: { name: "core-dump-event-reporter" },
  clusterRoleBinding: { name: "core-dump-event-report" },
  nodeSelector: {},
  affinity: {},
  tolerations: [],
};
const CI_DAEMONSET = {
  name: "core-dump-handler",
  label: "core-dump-ds",
  hostDirectory: "/var/mnt/core-dump-handler",
  coreDirectory: "/var/mnt/core-dump-handler/cores",
  crioEndpoint: "unix:///run/containerd/containerd.sock",
  suidDumpable: 2,
  vendor: "default",
  includeCrioExe: false,
  extraEnvVars: "",
};
const PLACEHOLDERS = {
  manageStoreSecret: true,
  s3AccessKey: "XXX",
  s3Secret: "XXX",
  s3BucketName: "XXX",
  s3Region: "XXX",
};

/** By the file's name in ci/. */
export const IBM_CHECKS: Readonly<Record<string, Values>> = {
  "inotify-manage-store": {
    ...CI,
    daemonset: { ...CI_DAEMONSET, ...PLACEHOLDERS, useINotify: true },
  },
  "interval-manage-store": {
    ...CI,
    daemonset: { ...CI_DAEMONSET, ...PLACEHOLDERS, interval: 60_000 },
  },
  "schedule-no-manage-store": {
    ...CI,
    daemonset: { ...CI_DAEMONSET, manageStoreSecret: false, schedule: "1/60 * * * * *" },
  },
  tolerations: {
    ...CI,
    daemonset: { ...CI_DAEMONSET, ...PLACEHOLDERS, useINotify: true, deployCrioConfig: false },
    scc: { create: false, name: "core-dump-admin-privileged" },
    tolerations: [{ effect: "NoSchedule", key: "stage", operator: "Equal", value: "component" }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "stage", operator: "In", values: ["component"] }] },
          ],
        },
      },
    },
  },
};

/** The defaults of its values.yaml. */
export const IBM_DEFAULTS: Values = {
  replicaCount: 1,
  image: {
    registry: "quay.io",
    repository: "icdh/core-dump-handler",
    tag: "v9.0.0",
    pullPolicy: "Always",
    pullSecrets: [],
    request_mem: "64Mi",
    request_cpu: "250m",
    limit_mem: "128Mi",
    limit_cpu: "500m",
  },
  imagePullSecrets: [],
  nameOverride: "",
  fullnameOverride: "",
  hostStorage: "1Gi",
  coreStorage: "10Gi",
  eventStorage: "1Gi",
  storageClass: "hostclass",
  composer: {
    ignoreCrio: false,
    includeProcInfo: false,
    crioImageCmd: "img",
    logLevel: "Warn",
    filenameTemplate: "{uuid}-dump-{timestamp}-{hostname}-{exe_name}-{pid}-{signal}",
    logLength: 500,
    podSelectorLabel: "",
    timeout: 600,
    compression: true,
    coreEvents: false,
  },
  daemonset: {
    podAnnotations: {},
    name: "core-dump-handler",
    label: "core-dump-ds",
    labels: {},
    hostDirectory: "/var/mnt/core-dump-handler",
    coreDirectory: "/var/mnt/core-dump-handler/cores",
    eventDirectory: "/var/mnt/core-dump-handler/events",
    crioEndpoint: "unix:///run/containerd/containerd.sock",
    mountContainerRuntimeEndpoint: false,
    hostContainerRuntimeEndpoint: "/run/containerd/containerd.sock",
    suidDumpable: 2,
    vendor: "default",
    useINotify: true,
    deployCrioConfig: false,
    includeCrioExe: false,
    ...PLACEHOLDERS,
    extraEnvVars: "",
    envFrom: [],
    sidecarContainers: [],
    updateStrategy: {},
  },
  serviceAccount: {
    create: true,
    name: "core-dump-admin",
    useToken: false,
    tokenSecretName: "core-dump-service-account-token",
  },
  scc: { create: false, name: "core-dump-admin-privileged" },
  clusterRole: { name: "core-dump-event-reporter" },
  clusterRoleBinding: { name: "core-dump-event-report" },
  nodeSelector: {},
  affinity: {},
  tolerations: [],
};
