// What a Kubernetes API server refuses about an update, of the kinds of this chart (pkg/apis/*/validation of
// Kubernetes): fields that stay as they were made. No API server is at hand as a package, so its rules stand here.
import { isDeepStrictEqual } from "node:util";
import type { ClusterObject } from "./helm-cluster.ts";
import type { Manifest } from "./helm.ts";

interface Rule {
  kind: string;
  /** A field below the object, dotted. */
  field: string;
  /** An absent field means leave it: helm's patch does not touch what no manifest ever had. */
  optional?: boolean;
}

const IMMUTABLE: readonly Rule[] = [
  { kind: "DaemonSet", field: "spec.selector" },
  { kind: "PersistentVolume", field: "spec.hostPath.path" },
  { kind: "PersistentVolume", field: "spec.hostPath.type", optional: true },
  { kind: "PersistentVolume", field: "spec.volumeMode", optional: true },
  { kind: "PersistentVolumeClaim", field: "spec.volumeName", optional: true },
  { kind: "PersistentVolumeClaim", field: "spec.storageClassName" },
  { kind: "PersistentVolumeClaim", field: "spec.accessModes" },
  { kind: "PersistentVolumeClaim", field: "spec.volumeMode", optional: true },
  // A claim can grow only where its class provisions volumes, which these classes do not.
  { kind: "PersistentVolumeClaim", field: "spec.resources.requests.storage" },
  { kind: "RoleBinding", field: "roleRef" },
  { kind: "ClusterRoleBinding", field: "roleRef" },
  { kind: "Secret", field: "type" },
];

/** Lists what the API server and helm would refuse of an upgrade from `before` to `after`. */
export function refusedChanges(
  before: readonly ClusterObject[],
  after: readonly Manifest[],
  release: string,
): string[] {
  return after.flatMap((manifest) => {
    const found = before.find((object) => isSame(object, manifest));
    if (found === undefined) return [];
    const what = `${manifest.kind} ${manifest.metadata.name}`;
    if (ownerOf(found) !== release) return [`${what} belongs to no release of this name`];
    return IMMUTABLE.filter(({ kind }) => kind === manifest.kind).flatMap(({ field, optional }) => {
      const [old, now] = [at(found, field), at(manifest, field)];
      if (now === undefined && optional === true) return [];
      return isDeepStrictEqual(old, now)
        ? []
        : [`${what}: ${field} is ${JSON.stringify(old)} and would be ${JSON.stringify(now)}`];
    });
  });
}

/** A DaemonSet whose pods do not carry the labels of its own selector is refused, too. */
export function selectsItsPods(daemonSet: Manifest): boolean {
  const labels = at(daemonSet, "spec.template.metadata.labels") as Record<string, string>;
  const selector = at(daemonSet, "spec.selector.matchLabels") as Record<string, string>;
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

function isSame(object: ClusterObject, { kind, metadata }: Manifest): boolean {
  return (
    object.kind === kind &&
    object.metadata.name === metadata.name &&
    (object.metadata.namespace === undefined || object.metadata.namespace === metadata.namespace)
  );
}

function ownerOf({ metadata }: ClusterObject): string | undefined {
  return (metadata["annotations"] as Record<string, string> | undefined)?.[
    "meta.helm.sh/release-name"
  ];
}

function at(object: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((found, key) => (found as Record<string, unknown> | undefined)?.[key], object);
}
