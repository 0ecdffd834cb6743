// A cluster that helm may look at while it renders (`lookup`): our small API server, with what discovery needs.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startKubernetesServer } from "./kubernetes-server.ts";

/** What there is, by kind; the plural names the resource. */
export interface ClusterObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; [key: string]: unknown };
  [key: string]: unknown;
}

/** Every kind that the chart makes, or helm 4 finds the rendering unknown to the cluster. */
const RESOURCES: Readonly<Record<string, readonly Resource[]>> = {
  v1: [
    { name: "persistentvolumes", kind: "PersistentVolume", namespaced: false },
    { name: "persistentvolumeclaims", kind: "PersistentVolumeClaim", namespaced: true },
    { name: "serviceaccounts", kind: "ServiceAccount", namespaced: true },
    { name: "secrets", kind: "Secret", namespaced: true },
  ],
  "apps/v1": [{ name: "daemonsets", kind: "DaemonSet", namespaced: true }],
  "rbac.authorization.k8s.io/v1": [
    { name: "roles", kind: "Role", namespaced: true },
    { name: "rolebindings", kind: "RoleBinding", namespaced: true },
    { name: "clusterroles", kind: "ClusterRole", namespaced: false },
    { name: "clusterrolebindings", kind: "ClusterRoleBinding", namespaced: false },
  ],
  "security.openshift.io/v1": [
    { name: "securitycontextconstraints", kind: "SecurityContextConstraints", namespaced: false },
  ],
};

interface Resource {
  name: string;
  kind: string;
  namespaced: boolean;
}

/** Runs with helm's arguments for a cluster that holds these objects. */
export async function withCluster<T>(
  objects: readonly ClusterObject[],
  run: (helmArguments: string[]) => Promise<T>,
): Promise<T> {
  const { access, answers, stop } = startKubernetesServer();
  const { accountFolder, baseUrl } = access;
  const answer = (path: string, body: object) => answers.set(`GET ${path}`, { status: 200, body });
  answer("/version", { major: "1", minor: "34", gitVersion: "v1.34.0" });
  answer("/api", { kind: "APIVersions", versions: ["v1"] });
  answer("/apis", { kind: "APIGroupList", apiVersion: "v1", groups: groups() });
  for (const [groupVersion, resources] of Object.entries(RESOURCES))
    answer(rootOf(groupVersion), {
      kind: "APIResourceList",
      groupVersion,
      resources: resources.map((each) => ({ ...each, singularName: "", verbs: ["get"] })),
    });
  for (const object of objects) answer(pathOf(object), object);
  const kubeconfig = join(accountFolder, "kubeconfig");
  const token = readFileSync(join(accountFolder, "token"), "utf8").trim();
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: "c",
          cluster: { server: baseUrl, "certificate-authority": join(accountFolder, "ca.crt") },
        },
      ],
      users: [{ name: "u", user: { token } }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    }),
  );
  try {
    // Its schemas are another test's business (kubernetes-types.ts).
    return await run([
      "--kubeconfig",
      kubeconfig,
      "--dry-run=server",
      "--disable-openapi-validation",
    ]);
  } finally {
    stop();
  }
}

function rootOf(groupVersion: string): string {
  return groupVersion.includes("/") ? `/apis/${groupVersion}` : `/api/${groupVersion}`;
}

function groups() {
  return Object.keys(RESOURCES).flatMap((groupVersion) => {
    const [name = "", version] = groupVersion.split("/");
    if (version === undefined) return [];
    const only = { groupVersion, version };
    return [{ name, versions: [only], preferredVersion: only }];
  });
}

function pathOf({ apiVersion, kind, metadata }: ClusterObject): string {
  const resource = RESOURCES[apiVersion]?.find((each) => each.kind === kind)?.name ?? "";
  const { name, namespace } = metadata;
  const within = namespace === undefined ? "" : `/namespaces/${namespace}`;
  return `${rootOf(apiVersion)}${within}/${resource}/${name}`;
}
