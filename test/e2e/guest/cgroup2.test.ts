// The identity on a machine with cgroup v2 only, and on a kernel without %F: the compiled composer in a
// QEMU guest, crashes in cgroups as containerd and CRI-O name them, by either driver, and in none.
import { expect } from "bun:test";
import type { DumpInfo } from "../../../src/model/dump-info.ts";
import { planCorePattern } from "../../../src/model/core-pattern.ts";
import { gatedTest } from "../../support/gate.ts";
import { guestObstacle, runGuest } from "../../support/guest.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const ID = "1f2e3d4c5b6a79880f1e2d3c4b5a69788f7e6d5c4b3a29180102030405060708";
const UID = "6f1c2f34-8f0e-4c55-9d3b-2f6a0d9c7b11";
const SLICE = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID.replaceAll("-", "_")}.slice`;
const IN_A_POD = [
  `${SLICE}/cri-containerd-${ID}.scope`,
  `${SLICE}/crio-${ID}.scope/container`,
  `/kubepods/besteffort/pod${UID}/${ID}`,
  `/kubepods/burstable/pod${UID}/crio-${ID}`,
];
const ON_THE_HOST = "/system.slice/sshd.service";

gatedTest(
  "every form of a container's cgroup is told on a cgroup v2 machine",
  [guestObstacle()],
  () =>
    withFolder(async (folder) => {
      const cgroups = [...IN_A_POD, ON_THE_HOST];
      const said = await runGuest(folder, { pattern: planCorePattern("/h", "/h/cores"), cgroups });
      const seen = [...said.matchAll(/^CGROUP (.*)$/gm)].map((match) => match[1]);
      expect(seen).toEqual(cgroups.map((path) => `0::${path}`));
      const infos = [...said.matchAll(/^DUMP-INFO (\{.*\})\s*$/gm)].map((match): DumpInfo =>
        JSON.parse(match[1] ?? "{}"),
      );
      expect(new Set(infos.map(({ cgroup }) => cgroup))).toEqual(new Set(cgroups));
      expect(infos).toHaveLength(cgroups.length);
      for (const info of infos) {
        expect(info).toMatchObject({ core_complete: true, exe_path: "/bin/busybox" });
        expect(info).toMatchObject(
          info.cgroup === ON_THE_HOST
            ? { identity: "host_process", container_id: null, pod_uid: null }
            : { identity: "cgroup", container_id: ID, pod_uid: UID },
        );
      }
    }),
);
