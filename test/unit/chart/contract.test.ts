// What people's values files rely on: the names and defaults of IBM's chart 9.0.0, and of its documents.
import { expect, test } from "bun:test";
import { CHART_VALUES } from "../../../build/chart-values.ts";
import { renderChart } from "../../support/helm.ts";

const DEFAULTS: Record<string, unknown> = {
  replicaCount: 1,
  "image.registry": "quay.io",
  "image.repository": "icdh/core-dump-handler",
  "image.pullPolicy": "Always",
  "image.pullSecrets": [],
  "image.request_mem": "64Mi",
  "image.request_cpu": "250m",
  "image.limit_mem": "128Mi",
  "image.limit_cpu": "500m",
  imagePullSecrets: [],
  nameOverride: "",
  fullnameOverride: "",
  hostStorage: "1Gi",
  coreStorage: "10Gi",
  eventStorage: "1Gi",
  storageClass: "hostclass",
  "composer.ignoreCrio": false,
  "composer.includeProcInfo": false,
  "composer.crioImageCmd": "img",
  "composer.logLevel": "Warn",
  "composer.filenameTemplate": "{uuid}-dump-{timestamp}-{hostname}-{exe_name}-{pid}-{signal}",
  "composer.logLength": 500,
  "composer.podSelectorLabel": "",
  "composer.timeout": 600,
  "composer.compression": true,
  "composer.coreEvents": false,
  "daemonset.podAnnotations": {},
  "daemonset.name": "core-dump-handler",
  "daemonset.label": "core-dump-ds",
  "daemonset.labels": {},
  "daemonset.hostDirectory": "/var/mnt/core-dump-handler",
  "daemonset.coreDirectory": "/var/mnt/core-dump-handler/cores",
  "daemonset.eventDirectory": "/var/mnt/core-dump-handler/events",
  "daemonset.crioEndpoint": "unix:///run/containerd/containerd.sock",
  "daemonset.mountContainerRuntimeEndpoint": false,
  "daemonset.hostContainerRuntimeEndpoint": "/run/containerd/containerd.sock",
  "daemonset.suidDumpable": 2,
  "daemonset.interval": null,
  "daemonset.schedule": null,
  "daemonset.useINotify": true,
  "daemonset.deployCrioConfig": false,
  "daemonset.includeCrioExe": false,
  "daemonset.manageStoreSecret": true,
  "daemonset.s3AccessKey": "XXX",
  "daemonset.s3Secret": "XXX",
  "daemonset.s3BucketName": "XXX",
  "daemonset.s3Region": "XXX",
  "daemonset.extraEnvVars": "",
  "daemonset.envFrom": [],
  "daemonset.sidecarContainers": [],
  "daemonset.updateStrategy": {},
  "serviceAccount.create": true,
  "serviceAccount.name": "core-dump-admin",
  "serviceAccount.useToken": false,
  "serviceAccount.tokenSecretName": "core-dump-service-account-token",
  "scc.create": false,
  "scc.name": "core-dump-admin-privileged",
  "clusterRole.name": "core-dump-event-reporter",
  "clusterRoleBinding.name": "core-dump-event-report",
  nodeSelector: {},
  affinity: {},
  priorityClassName: null,
  tolerations: [],
};

/** Named in its documents only, or with a default that is ours for a reason given in the table's `about`. */
const NAMES = [
  "image.tag",
  "storage",
  "daemonset.DeployCrioConfig",
  "daemonset.vendor",
  "serviceAccount.annotations",
];

test("every value of the old chart has its name and its default", () => {
  const ours = new Map(CHART_VALUES.map(({ path, fallback }) => [path, fallback]));
  const found = Object.keys(DEFAULTS).map((path) => [path, ours.get(path)]);
  expect(Object.fromEntries(found)).toEqual(DEFAULTS);
  for (const name of NAMES) expect(ours.has(name)).toBe(true);
});

test("a values file that sets everything to the old defaults is accepted", async () => {
  const values = { ...DEFAULTS, "daemonset.vendor": "default" };
  const given = Object.entries(values).filter(([, value]) => value !== null);
  expect(await renderChart("helm3", { values: Object.fromEntries(given) })).not.toBeEmpty();
});
