// In place of IBM's release: what cannot be changed is taken over, and what cannot be taken over is said before
// anything is changed. helm asks a cluster here (`lookup`), by our own API server.
import { describe, expect, test } from "bun:test";
import type { HelmName } from "../../../build/helm.ts";
import { withCluster, type ClusterObject } from "../../support/helm-cluster.ts";
import { refusalOf, renderChart, type Manifest } from "../../support/helm.ts";

const HELMS: HelmName[] = ["helm3", "helm4"];
const PVS = { usePersistentVolumes: true };
const FIXED = { ...PVS, fixedNames: true };
const HOST_DIR = "/var/mnt/core-dump-handler";

/** What helm puts on each object of a release, and on no hook's. */
const OWNED = {
  labels: { "app.kubernetes.io/managed-by": "Helm" },
  annotations: {
    "meta.helm.sh/release-name": "core-dump-handler",
    "meta.helm.sh/release-namespace": "observe",
  },
};

/** As a cluster has it that IBM's chart was installed on: no type, bound by the controller. */
const volume = (name: string, path: string): ClusterObject => ({
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name, ...OWNED },
  spec: { hostPath: { path, type: "" } },
});
const claim = (name: string, volumeName: string): ClusterObject => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name, namespace: "observe", ...OWNED },
  spec: { volumeName },
});
const IBMS = [
  volume("host-volume", HOST_DIR),
  volume("core-volume", `${HOST_DIR}/cores`),
  claim("host-storage-pvc", "host-volume"),
  claim("core-storage-pvc", "core-volume"),
];

describe.each(HELMS)("%s", (helm) => {
  test.each([FIXED, PVS])("the volumes of IBM's release are kept as they are, with %j", (values) =>
    withCluster(IBMS, async (helmArguments) => {
      const manifests = await renderChart(helm, { values, helmArguments });
      expect(pairsOf(manifests)).toEqual([
        ["host-volume", { path: HOST_DIR, type: "" }, "host-storage-pvc", "host-volume"],
        ["core-volume", { path: `${HOST_DIR}/cores`, type: "" }, "core-storage-pvc", "core-volume"],
      ]);
    }),
  );

  test("without a cluster to ask, fixedNames writes what IBM's chart wrote", async () => {
    const [host] = pairsOf(await renderChart(helm, { values: FIXED }));
    expect(host?.[1]).toEqual({ path: HOST_DIR });
  });

  test("our own volumes stay as they are, too", () => {
    const name = "observe-core-dump-handler-host";
    const ours = { ...volume(name, HOST_DIR) };
    ours["spec"] = { hostPath: { path: HOST_DIR, type: "DirectoryOrCreate" } };
    return withCluster([ours], async (helmArguments) => {
      const [host] = pairsOf(await renderChart(helm, { values: PVS, helmArguments }));
      expect(host?.slice(0, 2)).toEqual([name, { path: HOST_DIR, type: "DirectoryOrCreate" }]);
    });
  });

  test("a volume at another folder cannot be moved, and that is said", () =>
    withCluster([volume("host-volume", "/mnt/old")], async (helmArguments) => {
      expect(await refusalOf(helm, { values: FIXED, helmArguments })).toContain(
        `the PersistentVolume host-volume of the claim host-storage-pvc is at /mnt/old, and the values say ${HOST_DIR}`,
      );
    }));

  test("claims that the cluster bound crosswise are said, instead of swapping the folders", () => {
    const crossed = [...IBMS.slice(0, 2), claim("host-storage-pvc", "core-volume")];
    return withCluster(crossed, async (helmArguments) => {
      expect(await refusalOf(helm, { values: FIXED, helmArguments })).toContain(
        `the PersistentVolume core-volume of the claim host-storage-pvc is at ${HOST_DIR}/cores`,
      );
    });
  });

  test("OpenShift's constraint that IBM's hook left is named, with what to do", () => {
    const left = scc({});
    const values = { fixedNames: true, "scc.create": true };
    return withCluster([left], async (helmArguments) => {
      expect(await refusalOf(helm, { values, helmArguments })).toContain(
        "kubectl delete scc core-dump-admin-privileged",
      );
    });
  });

  test("the release's own constraint is updated", () => {
    const ours = scc(OWNED);
    const values = { fixedNames: true, "scc.create": true };
    return withCluster([ours], async (helmArguments) => {
      const manifests = await renderChart(helm, { values, helmArguments });
      expect(manifests.map(({ kind }) => kind)).toContain("SecurityContextConstraints");
    });
  });
});

function scc(metadata: object): ClusterObject {
  return {
    apiVersion: "security.openshift.io/v1",
    kind: "SecurityContextConstraints",
    metadata: { name: "core-dump-admin-privileged", ...metadata },
  };
}

/** Volume, source, claim, and the volume that the claim asks for; the host's folder first. */
function pairsOf(manifests: readonly Manifest[]) {
  const ofKind = (kind: string) => manifests.filter((each) => each.kind === kind);
  const claims = ofKind("PersistentVolumeClaim");
  return ofKind("PersistentVolume")
    .map(({ metadata, spec }) => {
      const { hostPath, claimRef } = spec as {
        hostPath: { path: string; type?: string };
        claimRef: Named;
      };
      const found = claims.find((each) => each.metadata.name === claimRef.name);
      const asked = found?.["spec"] as { volumeName: string } | undefined;
      return [metadata.name, hostPath, claimRef.name, asked?.volumeName] as const;
    })
    .toSorted((a, b) => a[1].path.length - b[1].path.length);
}

interface Named {
  name: string;
}
