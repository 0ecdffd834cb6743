// Runs a real helm on the chart and reads what it renders.
import { join } from "node:path";
import { installHelm, type HelmName } from "../../build/helm.ts";
import { ROOT } from "../../build/targets.ts";
import { temporaryFolder } from "./dumps.ts";

export const CHART = join(ROOT, "chart");

/** A Kubernetes object as YAML has it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; [key: string]: unknown };
  [key: string]: unknown;
}

export interface HelmRun {
  ok: boolean;
  output: string;
  errors: string;
}

let home: string | undefined;

export async function runHelm(helm: HelmName, ...args: string[]): Promise<HelmRun> {
  const path = await installHelm(helm);
  const child = Bun.spawn([path, ...args], {
    stdout: "pipe",
    stderr: "pipe",
    // Whatever the developer's own helm is set up for stays out of it, and its caches stay nowhere.
    env: { HOME: (home ??= temporaryFolder("cdh-helm-")), PATH: "/usr/bin:/bin" },
  });
  const [output, errors, exitCode] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { ok: exitCode === 0, output, errors };
}

export interface Rendering {
  /** Another chart than ours, by its folder. */
  chart?: string;
  release?: string;
  namespace?: string;
  /** Values files, below chart/. */
  files?: readonly string[];
  /** Values as an object, given to helm as one more file. */
  values?: object;
  /** More of helm's own, see helm-cluster.ts. */
  helmArguments?: readonly string[];
}

/** `helm template`: the objects in the order helm prints them. Throws with helm's words. */
export async function renderChart(helm: HelmName, rendering: Rendering = {}): Promise<Manifest[]> {
  const run = await runHelm(helm, "template", ...templateArguments(rendering));
  if (!run.ok) throw new Error(run.errors);
  return parseManifests(run.output);
}

/** Why helm refuses these values: its own words. Throws if it does not. */
export async function refusalOf(helm: HelmName, rendering: Rendering): Promise<string> {
  const run = await runHelm(helm, "template", ...templateArguments(rendering));
  if (run.ok) throw new Error(`helm accepted ${JSON.stringify(rendering)}`);
  return run.errors;
}

function templateArguments(rendering: Rendering): string[] {
  const { chart = CHART, release = "core-dump-handler", namespace = "observe" } = rendering;
  const { files = [], values, helmArguments = [] } = rendering;
  // --set-json takes any value as it is, without a file to clean up.
  const sets = Object.entries(values ?? {}).flatMap(([key, value]) => [
    "--set-json",
    `${key}=${JSON.stringify(value)}`,
  ]);
  const fileArguments = files.flatMap((file) => ["--values", join(CHART, file)]);
  return [release, chart, "--namespace", namespace, ...fileArguments, ...sets, ...helmArguments];
}

export function parseManifests(yaml: string): Manifest[] {
  return yaml
    .split(/^---$/m)
    .map((text) => Bun.YAML.parse(text))
    .filter((document): document is Manifest => document !== null && document !== undefined);
}

export interface EnvEntry {
  name: string;
  value?: string;
  valueFrom?: {
    secretKeyRef?: { name: string; key: string; optional?: boolean };
    fieldRef?: { fieldPath: string };
  };
}
export interface VolumeMount {
  name: string;
  mountPath: string;
  readOnly?: boolean;
  mountPropagation?: "None" | "HostToContainer";
}
export interface Container {
  name: string;
  image: string;
  env?: EnvEntry[];
  envFrom?: unknown[];
  command?: string[];
  volumeMounts?: VolumeMount[];
  securityContext?: Record<string, unknown>;
  [key: string]: unknown;
}
export interface PodSpec {
  initContainers?: Container[];
  containers: Container[];
  volumes: { name: string; [kind: string]: unknown }[];
  serviceAccountName: string;
  [key: string]: unknown;
}

/** What lives as long as the release, and the pod of `helm test`: not what comes behind `helm uninstall`. */
export function withoutCleanUp(manifests: readonly Manifest[]): Manifest[] {
  return manifests.filter((manifest) => !isCleanUp(manifest));
}

export function cleanUpOf(manifests: readonly Manifest[]): Manifest[] {
  return manifests.filter((manifest) => isCleanUp(manifest));
}

function isCleanUp({ metadata }: Manifest): boolean {
  const annotations = metadata["annotations"] as Record<string, string> | undefined;
  return annotations?.["helm.sh/hook"] === "post-delete";
}

/** The release's only one. */
export function objectOf(manifests: readonly Manifest[], kind: string): Manifest {
  return only(withoutCleanUp(manifests), kind);
}

function only(manifests: readonly Manifest[], kind: string): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind);
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error(`${found.length} of kind ${kind}`);
  return first;
}

/** The pod that the DaemonSet describes. */
export function podOf(manifests: readonly Manifest[]): PodSpec {
  return podIn(objectOf(manifests, "DaemonSet"));
}

/** The pod of the page over all crashes. */
export function deploymentPodOf(manifests: readonly Manifest[]): PodSpec {
  return podIn(objectOf(manifests, "Deployment"));
}

/** The pod that cleans a node behind `helm uninstall`, or the Job's that waits for all of them. */
export function cleanUpPodOf(
  manifests: readonly Manifest[],
  kind: "DaemonSet" | "Job" = "DaemonSet",
): PodSpec {
  return podIn(only(cleanUpOf(manifests), kind));
}

function podIn(owner: Manifest): PodSpec {
  // Its shape is held by the strict check of every rendering (kubernetes-types.ts).
  const { spec } = (owner as Manifest & { spec: { template: { spec: PodSpec } } }).spec.template;
  spec.volumes ??= [];
  return spec;
}

export function agentContainerOf(manifests: readonly Manifest[]): Container {
  return containerOf(manifests, "coredump-container");
}

export function containerOf(manifests: readonly Manifest[], name: string): Container {
  const found = podOf(manifests).containers.find((container) => container.name === name);
  if (found === undefined) throw new Error(`no container ${name}`);
  return found;
}

export function envOf(manifests: readonly Manifest[]): Map<string, EnvEntry> {
  return new Map((agentContainerOf(manifests).env ?? []).map((entry) => [entry.name, entry]));
}

/** The capabilities that a container asks for. */
export function capabilitiesOf({ securityContext }: Container): string[] {
  const capabilities = securityContext?.["capabilities"] as { add?: string[] } | undefined;
  return capabilities?.add ?? [];
}

export function mountsOf({ volumeMounts = [] }: Container): string[] {
  return volumeMounts.map(({ mountPath }) => mountPath);
}

/** What of the node the DaemonSet's pod mounts. */
export function hostPathsOf(manifests: readonly Manifest[]): string[] {
  return podOf(manifests).volumes.flatMap(({ hostPath }) =>
    hostPath === undefined ? [] : [(hostPath as { path: string }).path],
  );
}
