// `helm upgrade` of a release of IBM's chart 9.0.0 to ours, with each of its values files as they are: nothing that the
// API server refuses, and nothing that changes its meaning without a word. helm asks a cluster that holds IBM's objects.
import { describe, expect, test } from "bun:test";
import { FORMER_VALUES } from "../../../build/chart-former-values.ts";
import { readAgentSettings } from "../../../src/config/agent-settings.ts";
import { refusedChanges, selectsItsPods } from "../../support/api-server-rules.ts";
import { withCluster } from "../../support/helm-cluster.ts";
import {
  agentContainerOf,
  envOf,
  hostPathsOf,
  mountsOf,
  objectOf,
  podOf,
  refusalOf,
  renderChart,
  type Manifest,
} from "../../support/helm.ts";
import { ibmObjects, ibmVariables, merge } from "../../support/ibm-release.ts";
import { IBM_CHECKS, IBM_DEFAULTS, IBM_PROVIDERS, type Values } from "../../support/ibm-values.ts";

const FILES: [string, Values][] = [
  ["values", {}],
  ...Object.entries(IBM_PROVIDERS),
  ...Object.entries(IBM_CHECKS),
];
const STORE = {
  daemonset: { s3AccessKey: "k", s3Secret: "s", s3BucketName: "b", s3Region: "us-east-1" },
};

/** What the upgrade makes of a cluster that holds IBM's release with the same values. */
function upgrade(values: Values, more: Values = {}, release = "core-dump-handler") {
  const given = merge(values, STORE);
  const before = ibmObjects(given, { name: release });
  return withCluster(before, async (helmArguments) => {
    const after = await renderChart("helm4", {
      release,
      values: merge(given, more),
      helmArguments,
    });
    return { before, after, refused: refusedChanges(before, after, release) };
  });
}

describe.each(FILES)("IBM's %s", (file, values) => {
  const isOpenShift = file === "openshift" || file === "roks";

  test("nothing of the upgrade is refused", async () => {
    const { after, refused } = await upgrade(values);
    expect(refused).toEqual([]);
    expect(selectsItsPods(objectOf(after, "DaemonSet"))).toBe(true);
    expect(objectOf(after, "DaemonSet").metadata.name).toBe("core-dump-handler");
    expect(objectOf(after, "ServiceAccount").metadata.name).toBe("core-dump-admin");
  });

  test("nor with its volumes", async () => {
    const { after, refused } = await upgrade(values, { usePersistentVolumes: true });
    expect(refused).toEqual([]);
    expect(claimsOf(after)).toEqual(claimsMountedBy(after));
  });

  test("nor with its names, but for the constraint that no release owns", async () => {
    const names = { usePersistentVolumes: true, fixedNames: true };
    if (isOpenShift) {
      const before = ibmObjects(values);
      const words = await withCluster(before, (helmArguments) =>
        refusalOf("helm4", { values: merge(values, names), helmArguments }),
      );
      expect(words).toContain("kubectl delete scc core-dump-admin-privileged");
      return;
    }
    const { refused } = await upgrade(values, names, "cores");
    expect(refused).toEqual([]);
  });

  test("every variable keeps its value", async () => {
    const { after } = await upgrade(values);
    const ours = envOf(after);
    const changed = [...ibmVariables(values)].filter(
      ([name, value]) => value !== "" && ours.get(name)?.value !== value && name !== "VENDOR",
    );
    expect(changed).toEqual(DIFFERENCES[file] ?? [["COMP_CORE_EVENT_DIR", EVENTS]]);
    // The default took one build for all; ours takes the one that runs.
    const daemonset = values["daemonset"] as { vendor?: string } | undefined;
    expect(ours.get("VENDOR")?.value).toBe(daemonset?.vendor ?? "auto");
    expect(ours.get("S3_SECRET")?.valueFrom?.secretKeyRef).toMatchObject({
      name: "s3config",
      key: "s3Secret",
    });
  });

  test("the folders are the same, and events have one only where there are any", async () => {
    const { after } = await upgrade(values);
    const variables = ibmVariables(values);
    const [hostDir = "", coreDir = ""] = ["HOST_DIR", "CORE_DIR"].map((name) =>
      variables.get(name),
    );
    const mounts = mountsOf(agentContainerOf(after));
    expect(mounts.some((path) => coreDir === path || coreDir.startsWith(`${path}/`))).toBe(true);
    expect(mounts).toContain(hostDir);
    const hasEvents = variables.get("COMP_CORE_EVENTS") === "true";
    expect(mounts.includes(EVENTS)).toBe(hasEvents && !EVENTS.startsWith(`${hostDir}/`));
  });

  test("SELinux lets it work where it enforces", async () => {
    const { after } = await upgrade(values);
    const { seLinuxOptions } = agentContainerOf(after).securityContext ?? {};
    expect(seLinuxOptions).toEqual(isOpenShift ? { type: "spc_t" } : undefined);
  });
});

const EVENTS = "/var/mnt/core-dump-handler/events";
/** Values that differ for a reason: the older name of EVENT_DIR, and what the values file meant to say. */
const DIFFERENCES: Readonly<Record<string, [string, string][]>> = {
  // Its file sets a key that IBM's chart did not read.
  do: [
    ["COMP_CRIO_IMAGE_CMD", "img"],
    ["COMP_CORE_EVENT_DIR", EVENTS],
  ],
  openshift: [
    ["COMP_CORE_EVENT_DIR", EVENTS],
    ["CRIO_ENDPOINT", "unix:///run/containerd/containerd.sock"],
  ],
  roks: [
    ["COMP_CORE_EVENT_DIR", EVENTS],
    ["CRIO_ENDPOINT", "unix:///run/containerd/containerd.sock"],
  ],
};

test("a claim that asks for another size keeps the one that it has", async () => {
  const { refused } = await upgrade(
    { coreStorage: "10Gi" },
    {
      usePersistentVolumes: true,
      storage: "50Gi",
      storageClass: "other",
    },
  );
  expect(refused).toEqual([]);
});

test("a runtime's socket that is gone from the node does not keep the pod from starting", async () => {
  const { after } = await upgrade(IBM_PROVIDERS["aws.bottlerocket"] ?? {});
  const volume = podOf(after).volumes.find(({ name }) => name === "container-runtime");
  expect(volume?.["hostPath"]).toEqual({ path: "/run/dockershim.sock" });
  expect(hostPathsOf(after)).toContain("/run/dockershim.sock");
});

test("where pods need a PodSecurityPolicy the one that IBM's chart granted is granted", async () => {
  const policies = async (helmArguments: string[]) => {
    const role = objectOf(await renderChart("helm4", { helmArguments }), "Role");
    return (role["rules"] as { resources: string[] }[]).filter(({ resources }) =>
      resources.includes("podsecuritypolicies"),
    );
  };
  expect(await policies(["--api-versions", "policy/v1beta1/PodSecurityPolicy"])).toEqual([
    expect.objectContaining({ resourceNames: ["privileged"], verbs: ["use"] }),
  ]);
  expect(await policies([])).toEqual([]);
});

describe("a release of another name", () => {
  test("keeps the service account that a trust policy names", async () => {
    const { after, refused } = await upgrade({}, {}, "cores");
    expect(refused).toEqual([]);
    expect(objectOf(after, "ServiceAccount").metadata.name).toBe("core-dump-admin");
  });

  test("also where it is new, and has a role", async () => {
    const values = merge(IBM_PROVIDERS["aws.sts"] ?? {}, STORE);
    const fresh = await renderChart("helm4", { release: "cores", values });
    expect(objectOf(fresh, "ServiceAccount").metadata.name).toBe("core-dump-admin");
    expect(podOf(fresh).serviceAccountName).toBe("core-dump-admin");
  });

  test("unless another release has it, or another name is given", async () => {
    const other = ibmObjects({});
    const values = merge(IBM_PROVIDERS["aws.sts"] ?? {}, STORE);
    const beside = await withCluster(other, (helmArguments) =>
      renderChart("helm4", { release: "cores", values, helmArguments }),
    );
    expect(objectOf(beside, "ServiceAccount").metadata.name).toBe("cores-core-dump-handler-admin");
    const named = merge(values, { serviceAccount: { name: "mine" } });
    const own = await renderChart("helm4", { release: "cores", values: named });
    expect(objectOf(own, "ServiceAccount").metadata.name).toBe("mine");
  });
});

test("all of IBM's own values with its image are refused: our pod would run its program", async () => {
  const words = await refusalOf("helm4", { values: IBM_DEFAULTS });
  expect(words).toContain("image.tag is v9.0.0, a version of IBM's image");
});

describe("a key that IBM's chart did not read", () => {
  test("manageStoreSecret at the top level means what its FAQ said", async () => {
    const manifests = await renderChart("helm4", { values: { manageStoreSecret: false } });
    expect(manifests.filter(({ kind }) => kind === "Secret")).toEqual([]);
    expect(envOf(manifests).get("S3_SECRET")?.valueFrom?.secretKeyRef?.name).toBe("s3config");
    const words = await refusalOf("helm4", { values: { ...STORE, manageStoreSecret: false } });
    expect(words).toContain("set daemonset.manageStoreSecret to false");
  });

  test.each(FORMER_VALUES.slice(2))(
    "$path is refused with the right key's name",
    async (former) => {
      const words = await refusalOf("helm4", { values: { [former.path]: "other" } });
      expect(words).toContain(`set ${former.instead}`);
    },
  );

  test("the log levels of IBM's agent are the nearest of ours", async () => {
    const level = async (given: string) => {
      const values = { "composer.logLevel": given };
      const env = envOf(await renderChart("helm4", { values }));
      return readAgentSettings({ COMP_LOG_LEVEL: env.get("COMP_LOG_LEVEL")?.value }).composer;
    };
    expect((await level("Trace")).LOG_LEVEL).toBe("Debug");
    expect((await level("off")).LOG_LEVEL).toBe("Error");
  });
});

function claimsOf(manifests: readonly Manifest[]): string[] {
  return manifests
    .filter(({ kind }) => kind === "PersistentVolumeClaim")
    .map(({ metadata }) => metadata.name)
    .toSorted();
}

function claimsMountedBy(manifests: readonly Manifest[]): string[] {
  return podOf(manifests)
    .volumes.flatMap(({ persistentVolumeClaim }) =>
      persistentVolumeClaim === undefined
        ? []
        : [(persistentVolumeClaim as { claimName: string }).claimName],
    )
    .toSorted();
}
