// The chart's values as data: name, default, the agent's variable it becomes, and what it does. From
// this table chart-generate.ts writes values.yaml, values.schema.json, the DaemonSet's variables and the
// tables of chart/README.md and docs/values.md. A new variable of the agent is one new row.
import { schemaOfVariable, type ChartValue } from "./chart-value.ts";
import { AGENT_VALUES } from "./chart-values-agent.ts";
import { CAPTURE_VALUES } from "./chart-values-capture.ts";
import { COMPOSER_VALUES } from "./chart-values-composer.ts";
import { DAEMONSET_VALUES } from "./chart-values-daemonset.ts";
import { BROWSER_VALUES } from "./chart-values-browser.ts";
import { MONITORING_VALUES } from "./chart-values-monitoring.ts";
import { STORE_VALUES } from "./chart-values-store.ts";
import { PLATFORM_VALUES } from "./chart-values-platform.ts";

/** A variable that the chart sets by itself, for no value. */
export interface WiredVariable {
  variable: string;
  why: string;
}

const WRITTEN: readonly ChartValue[] = [
  ...PLATFORM_VALUES,
  ...DAEMONSET_VALUES,
  ...COMPOSER_VALUES,
  ...CAPTURE_VALUES,
  ...AGENT_VALUES,
  ...STORE_VALUES,
  ...MONITORING_VALUES,
  ...BROWSER_VALUES,
];

export const CHART_VALUES: readonly ChartValue[] = WRITTEN.map((value) => {
  const schema = value.schema ?? schemaOfVariable(value.variable ?? "");
  return schema === undefined ? value : { ...value, schema };
});

/** Variables that the templates set with a fixed value or from the pod itself. */
export const WIRED_VARIABLES: readonly WiredVariable[] = [
  { variable: "POD_NAME", why: "the pod's own name, for the Events it makes" },
  { variable: "POD_NAMESPACE", why: "where the DaemonSet is asked for" },
  {
    variable: "NODE_NAME",
    why: "what dumps call their node: Kubernetes' name for it, which may not be its host name",
  },
  {
    variable: "DAEMONSET_NAME",
    why: "whose absence tells an uninstall from an update when the pod stops",
  },
  {
    variable: "PROC_ROOT",
    why: "/host/proc, where the three sysctl files are mounted: /proc/sys itself is read-only in a container that is not privileged",
  },
];

/** Variables of the agent that the chart leaves alone, and why. */
export const UNUSED_VARIABLES: Readonly<Record<string, string>> = {
  COMP_CORE_EVENT_DIR: "the older name of EVENT_DIR, which the chart sets",
  AWS_WEB_IDENTITY_TOKEN_FILE: "the AWS SDK's own, which EKS sets; the role goes before keys",
  AWS_REGION: "the AWS SDK's own, which EKS sets; s3Region goes before it",
  GOOGLE_APPLICATION_CREDENTIALS: "off GKE: daemonset.extraEnvVars, with the file's volume",
  GCE_METADATA_HOST: "Google's clients' own, for tests of the metadata server",
  STORAGE_EMULATOR_HOST: "Google's clients' own, for tests",
  AZURE_STORAGE_CONNECTION_STRING: "a secret: daemonset.envFrom takes it from one",
  AZURE_STORAGE_KEY: "a secret: daemonset.envFrom takes it from one",
  AZURE_STORAGE_SAS_TOKEN: "a secret: daemonset.envFrom takes it from one",
  AZURE_CLIENT_ID: "set by AKS's webhook",
  AZURE_TENANT_ID: "set by AKS's webhook",
  AZURE_FEDERATED_TOKEN_FILE: "set by AKS's webhook",
  AZURE_AUTHORITY_HOST: "set by AKS's webhook",
  AZURE_POD_IDENTITY_AUTHORITY_HOST: "Azure's SDKs' own, for tests of the metadata service",
};
