// What each helm renders: the defaults, every provider's file, and the combinations that people run.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import type { HelmName } from "../../../build/helm.ts";
import { findTypeErrors } from "../../support/kubernetes-types.ts";
import {
  CHART,
  agentContainerOf,
  envOf,
  objectOf,
  podOf,
  renderChart,
  runHelm,
  withoutCleanUp,
  type Manifest,
  type PodSpec,
} from "../../support/helm.ts";

const HELMS: HelmName[] = ["helm3", "helm4"];
const PROVIDER_FILES = readdirSync(CHART).filter((name) => /^values\..+\.yaml$/.test(name));
/** Kinds of other projects, which Kubernetes' client has no types for. */
const FOREIGN_KINDS = ["SecurityContextConstraints", "PodMonitor", "PrometheusRule"];
const STORE = {
  "daemonset.s3AccessKey": "key",
  "daemonset.s3Secret": "secret",
  "daemonset.s3BucketName": "cores",
  "daemonset.s3Region": "us-east-1",
};

test("every row of the platform table has a file", () => {
  const rows = ["aws", "aws.sts", "aws.bottlerocket", "openshift", "do", "gke-cos", "ibm", "roks"];
  expect(PROVIDER_FILES).toEqual(
    expect.arrayContaining([...rows, "minikube"].map((row) => `values.${row}.yaml`)),
  );
});

test("every line of a provider's file says why it is there", () => {
  for (const file of PROVIDER_FILES) expect(uncommentedLines(file)).toEqual([]);
});

describe.each(HELMS)("%s", (helm) => {
  test("lint --strict finds nothing", async () => {
    const run = await runHelm(helm, "lint", "--strict", CHART);
    expect(run).toMatchObject({ ok: true, output: expect.stringContaining("0 chart(s) failed") });
  });

  test.each(["", ...PROVIDER_FILES])(
    "template %p renders objects that Kubernetes takes",
    async (file) => {
      const files = file === "" ? [] : [file];
      const manifests = await renderChart(helm, { files, values: { "composer.coreEvents": true } });
      expect(manifests.map(({ kind }) => kind)).toContain("DaemonSet");
      expectStrict(manifests);
    },
  );

  test("everything switched on renders objects that Kubernetes takes", async () => {
    const manifests = await renderChart(helm, { values: EVERYTHING });
    expectStrict(manifests);
  });

  test("two releases in one namespace share no name", async () => {
    const names = async (release: string) =>
      (await renderChart(helm, { release, values: EVERYTHING })).map(
        ({ kind, metadata }) => `${kind} ${metadata.name}`,
      );
    const [one, two] = await Promise.all([names("core-dump-handler"), names("second")]);
    expect(one.length).toBeGreaterThan(5);
    expect(two).toHaveLength(one.length);
    expect(one.filter((name) => two.includes(name))).toEqual([]);
    expect(new Set(one).size).toBe(one.length);
  });

  test("two releases of one name in two namespaces share no cluster-wide name", async () => {
    const names = async (namespace: string) =>
      (await renderChart(helm, { namespace, values: EVERYTHING }))
        .filter(({ metadata }) => metadata.namespace === undefined)
        .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    const [one, two] = await Promise.all([names("observe"), names("other")]);
    expect(one.length).toBeGreaterThan(3);
    expect(one.filter((name) => two.includes(name))).toEqual([]);
  });

  test("a release called core-dump-handler keeps the names and the selector of IBM's chart", async () => {
    const manifests = await renderChart(helm, { values: STORE });
    expect(objectOf(manifests, "DaemonSet")).toMatchObject({
      metadata: { name: "core-dump-handler" },
      spec: { selector: { matchLabels: { name: "core-dump-ds" } } },
    });
    expect(objectOf(manifests, "ServiceAccount").metadata.name).toBe("core-dump-admin");
    expect(objectOf(manifests, "Secret").metadata.name).toBe("s3config");
  });

  test("the keys go through a Secret and never stand in the pod", async () => {
    const manifests = await renderChart(helm, { values: STORE });
    const env = envOf(manifests);
    for (const name of ["S3_ACCESS_KEY", "S3_SECRET", "S3_BUCKET_NAME", "S3_REGION"])
      expect(env.get(name)?.valueFrom?.secretKeyRef?.name).toBe("s3config");
    expect(objectOf(manifests, "Secret")["data"]).toEqual({
      s3AccessKey: btoa("key"),
      s3Secret: btoa("secret"),
      s3BucketName: btoa("cores"),
      s3Region: btoa("us-east-1"),
    });
  });

  test("a keyless install has no static key anywhere, placeholder or not", async () => {
    for (const none of ["XXX", "", null]) {
      const values = { ...STORE, "daemonset.s3AccessKey": none, "daemonset.s3Secret": none };
      const manifests = await renderChart(helm, { files: ["values.aws.sts.yaml"], values });
      const names = [...envOf(manifests).keys()];
      expect(names).not.toContain("S3_ACCESS_KEY");
      expect(names).not.toContain("S3_SECRET");
      expect(names).toContain("S3_BUCKET_NAME");
      expect(Object.keys(objectOf(manifests, "Secret")["data"] ?? {})).toEqual([
        "s3BucketName",
        "s3Region",
      ]);
      expect(objectOf(manifests, "ServiceAccount").metadata["annotations"]).toHaveProperty([
        "eks.amazonaws.com/role-arn",
      ]);
    }
  });

  test("an existing Secret is read under its own key names", async () => {
    const values = {
      "daemonset.storeSecret": {
        name: "cos-write-access",
        accessKey: "access-key",
        secretKey: "secret-key",
      },
      "daemonset.s3BucketName": "coredumps-002",
    };
    const manifests = await renderChart(helm, { values });
    const env = envOf(manifests);
    expect(manifests.filter(({ kind }) => kind === "Secret")).toEqual([]);
    expect(env.get("S3_ACCESS_KEY")?.valueFrom?.secretKeyRef).toEqual({
      name: "cos-write-access",
      key: "access-key",
    });
    expect(env.get("S3_SECRET")?.valueFrom?.secretKeyRef?.key).toBe("secret-key");
    expect(env.get("S3_BUCKET_NAME")?.value).toBe("coredumps-002");
  });

  test("with an external secret nothing of the store is set that envFrom could set", async () => {
    const manifests = await renderChart(helm, {
      values: {
        "daemonset.manageStoreSecret": false,
        "daemonset.envFrom": [{ secretRef: { name: "vault" } }],
      },
    });
    const secrets = [...envOf(manifests).values()].filter(
      ({ valueFrom }) => valueFrom?.secretKeyRef !== undefined,
    );
    expect(secrets).toEqual([]);
    expect(envOf(manifests).has("S3_BUCKET_NAME")).toBe(false);
    expect(envOf(manifests).has("S3_ENDPOINT")).toBe(false);
    expect(agentContainerOf(manifests).envFrom).toEqual([{ secretRef: { name: "vault" } }]);
  });

  test("with no secret of the chart's and no envFrom, an old s3config is read if it is there", async () => {
    const values = { "daemonset.manageStoreSecret": false };
    const env = envOf(await renderChart(helm, { release: "second", values }));
    expect(env.get("S3_SECRET")?.valueFrom?.secretKeyRef).toEqual({
      name: "s3config",
      key: "s3Secret",
      optional: true,
    });
  });

  test.each([
    { "daemonset.interval": 60000 },
    { "daemonset.schedule": "1/1 * * * * *" },
    { "daemonset.interval": 60000, "daemonset.schedule": "0 * * * *" },
    { "daemonset.interval": 60000, "daemonset.useINotify": false },
    { "daemonset.schedule": "0 * * * *", "daemonset.useINotify": true },
  ])("the triggers %j go together", async (values) => {
    const env = envOf(await renderChart(helm, { values }));
    const given: Record<string, unknown> = values;
    expect(env.get("INTERVAL")?.value).toBe(given["daemonset.interval"]?.toString());
    expect(env.get("SCHEDULE")?.value).toBe(given["daemonset.schedule"]?.toString());
  });

  test("extraEnvVars as a list and as a text template come to the same, and win over the chart's", async () => {
    const list = [
      { name: "S3_ENDPOINT", value: "https://core-dump-handler.example" },
      { name: "LOG_LEVEL", value: "Debug" },
    ];
    const text =
      '\n- name: S3_ENDPOINT\n  value: "https://{{ .Release.Name }}.example"\n- name: LOG_LEVEL\n  value: Debug\n';
    for (const extra of [list, text]) {
      const manifests = await renderChart(helm, { values: { "daemonset.extraEnvVars": extra } });
      const entries = (agentContainerOf(manifests).env ?? []).filter(({ name }) =>
        ["S3_ENDPOINT", "LOG_LEVEL"].includes(name),
      );
      expect(entries).toEqual(list);
    }
  });

  test("a sidecar sees cores and events, not the composer, and has no privileges of its own", async () => {
    const sidecar = {
      name: "reader",
      image: "alpine",
      command: ["sh"],
      volumeMounts: [{ name: "x", mountPath: "/x" }],
    };
    const manifests = await renderChart(helm, {
      values: { "daemonset.sidecarContainers": [sidecar], "composer.coreEvents": true },
    });
    expectStrict(manifests);
    const [, rendered] = podOf(manifests).containers;
    expect(rendered).toMatchObject({ name: "reader", image: "alpine", command: ["sh"] });
    expect(rendered?.volumeMounts?.map(({ mountPath }) => mountPath)).toEqual([
      "/var/mnt/core-dump-handler/cores",
      "/var/mnt/core-dump-handler/events",
      "/x",
    ]);
    expect(rendered?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
    });
  });

  test("a group for the folders is the pod's too, so that a sidecar that is not root works in them", async () => {
    expect(podOf(await renderChart(helm))).not.toHaveProperty("securityContext");
    const manifests = await renderChart(helm, { values: { "daemonset.coreGroup": 4711 } });
    expectStrict(manifests);
    expect(podOf(manifests)["securityContext"]).toEqual({ supplementalGroups: [4711] });
    expect(envOf(manifests).get("CORE_GROUP")?.value).toBe("4711");
  });

  test("a sidecar that asks for its own privileges gets them as asked", async () => {
    const securityContext = { runAsUser: 1000 };
    const sidecar = { name: "reader", image: "alpine", securityContext };
    const manifests = await renderChart(helm, {
      values: { "daemonset.sidecarContainers": [sidecar] },
    });
    expect(podOf(manifests).containers[1]?.securityContext).toEqual(securityContext);
  });

  test("the agent has one capability, no privilege and a read-only root, unless it is asked for", async () => {
    expect(agentContainerOf(await renderChart(helm)).securityContext).toEqual({
      privileged: false,
      runAsUser: 0,
      runAsGroup: 0,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"], add: ["SYSLOG"] },
      readOnlyRootFilesystem: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    const without = await renderChart(helm, { values: { "daemonset.kernelLog": false } });
    expect(agentContainerOf(without).securityContext?.["capabilities"]).toEqual({ drop: ["ALL"] });
    const values = { "daemonset.privileged": true };
    expect(agentContainerOf(await renderChart(helm, { values })).securityContext).toEqual({
      privileged: true,
    });
  });

  test("the pod may read its own DaemonSet and namespace and nothing else, and write Events only where they are on", async () => {
    const rules = (manifests: Manifest[]) =>
      withoutCleanUp(manifests)
        .filter(({ kind }) => kind.endsWith("Role"))
        .map((role) => role["rules"]);
    const daemonSet = {
      apiGroups: ["apps"],
      resources: ["daemonsets"],
      resourceNames: ["core-dump-handler"],
      verbs: ["get"],
    };
    const namespace = {
      apiGroups: [""],
      resources: ["namespaces"],
      resourceNames: ["observe"],
      verbs: ["get"],
    };
    const events = { apiGroups: [""], resources: ["events"], verbs: ["create"] };
    expect(rules(await renderChart(helm))).toEqual([[daemonSet, namespace]]);
    const on = await renderChart(helm, { values: { "daemonset.kubernetesEvents": true } });
    expect(rules(on)).toContainEqual([events]);
    expect(rules(on)).toHaveLength(2);
    const off = await renderChart(helm, { values: { "rbac.create": false } });
    expect(rules(off)).toEqual([]);
  });

  test("labels and annotations of one's own stand beside ours, or for them, and never twice", async () => {
    const key = "kubectl.kubernetes.io/default-container";
    const values = {
      "daemonset.labels": { name: "mine", team: "db" },
      "daemonset.podAnnotations": { [key]: "reader" },
    };
    const run = await renderChart(helm, { values });
    expect(objectOf(run, "DaemonSet")["spec"]).toMatchObject({
      template: {
        metadata: {
          labels: { name: "core-dump-ds", team: "db" },
          annotations: { [key]: "reader" },
        },
      },
    });
  });

  test("the probes ask the port of the agent, and go with it", async () => {
    const agent = agentContainerOf(
      await renderChart(helm, { values: { "daemonset.httpPort": 9999 } }),
    );
    expect(agent["ports"]).toEqual([{ name: "http", containerPort: 9999 }]);
    expect(agent["livenessProbe"]).toMatchObject({ httpGet: { path: "/healthz", port: "http" } });
    expect(agent["startupProbe"]).toMatchObject({ httpGet: { path: "/startz", port: "http" } });
    expect(agent["readinessProbe"]).toMatchObject({ httpGet: { path: "/readyz", port: "http" } });
    const without = agentContainerOf(
      await renderChart(helm, { values: { "daemonset.httpPort": 0 } }),
    );
    expect(without).not.toHaveProperty("startupProbe");
    expect(without).not.toHaveProperty("livenessProbe");
    expect(without).not.toHaveProperty("ports");
  });

  test("helm test crashes in a pod beside an agent, that sees the node's folders and can change nothing", async () => {
    const values = { "composer.podSelectorLabel": "collect=yes", "daemonset.interval": 60000 };
    const pod = objectOf(await renderChart(helm, { values }), "Pod");
    expect(pod).toMatchObject({
      metadata: {
        labels: { collect: "yes" },
        // helm 3 reads the log behind the hook's end: the pod must still be there.
        annotations: {
          "helm.sh/hook": "test",
          "helm.sh/hook-delete-policy": "before-hook-creation",
        },
      },
      spec: {
        restartPolicy: "Never",
        containers: [
          {
            image: agentContainerOf(await renderChart(helm)).image,
            command: ["/app/core-dump-handler", "crash-test"],
            volumeMounts: [{ readOnly: true }, { readOnly: true }],
          },
        ],
      },
    });
    const [container] = (pod["spec"] as PodSpec).containers;
    expect(container?.env).toContainEqual({ name: "INTERVAL", value: "60000" });
  });

  test("why a container of ours ended is seen in kubectl describe", async () => {
    const manifests = await renderChart(helm, { values: { "daemonset.captureFallback": true } });
    const pods = [podOf(manifests), objectOf(manifests, "Pod")["spec"] as PodSpec];
    const containers = pods.flatMap((pod) => pod.containers);
    expect(containers.map(({ name }) => name)).toEqual(["coredump-container", "listener", "crash"]);
    for (const container of containers)
      expect(container["terminationMessagePolicy"]).toBe("FallbackToLogsOnError");
  });

  test("an image is named by tag, by digest, and pulled with the secrets of both values", async () => {
    const image = async (values: object) =>
      agentContainerOf(await renderChart(helm, { values })).image;
    expect(await image({ "image.tag": "v1" })).toBe("quay.io/icdh/core-dump-handler:v1");
    const digest = `sha256:${"0".repeat(64)}`;
    expect(await image({ "image.digest": digest, "image.registry": "" })).toBe(
      `icdh/core-dump-handler@${digest}`,
    );
    const values = { "image.pullSecrets": ["one"], imagePullSecrets: [{ name: "two" }, "one"] };
    expect(podOf(await renderChart(helm, { values }))["imagePullSecrets"]).toEqual([
      { name: "one" },
      { name: "two" },
    ]);
  });
});

const EVERYTHING = {
  ...STORE,
  fixedNames: false,
  usePersistentVolumes: true,
  "scc.create": true,
  "serviceAccount.useToken": true,
  "composer.coreEvents": true,
  "daemonset.kubernetesEvents": true,
  "browser.enabled": true,
  "browser.s3AccessKey": "reader",
  "browser.s3Secret": "secret",
  "browser.namespaces": ["shop"],
  "monitoring.podMonitor.enabled": true,
  "monitoring.prometheusRule.enabled": true,
  "monitoring.dashboard.enabled": true,
  "daemonset.mountContainerRuntimeEndpoint": true,
  "daemonset.hostNetwork": true,
  "daemonset.labels": { team: "db" },
  "daemonset.podAnnotations": { "x/y": "z" },
  "daemonset.updateStrategy": { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "10%" } },
  "daemonset.seLinuxOptions": { type: "spc_t" },
  "daemonset.extraVolumes": [{ name: "x", emptyDir: {} }],
  "daemonset.extraVolumeMounts": [{ name: "x", mountPath: "/x" }],
  nodeSelector: { gpu: "true" },
  affinity: { nodeAffinity: {} },
  tolerations: [{ operator: "Exists" }],
  priorityClassName: "system-node-critical",
};

function expectStrict(manifests: readonly Manifest[]): void {
  const errors = manifests
    .filter(({ kind }) => !FOREIGN_KINDS.includes(kind))
    .flatMap((manifest) => findTypeErrors(manifest));
  expect(errors).toEqual([]);
}

/** Lines that set something with neither a comment nor a commented line right above them. */
function uncommentedLines(file: string): string[] {
  let explained = false;
  return readFileSync(join(CHART, file), "utf8")
    .split("\n")
    .filter((line) => {
      const sets = /^\s*[^#\s].*:\s*\S/.test(line);
      const opens = /^\s+[^#\s].*:$/.test(line);
      explained = line.trimStart().startsWith("#") || ((sets || opens) && explained);
      return sets && !explained;
    });
}
