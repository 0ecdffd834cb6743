// Each privilege of the rendered pod, taken away or added: what works, and what is said where it does not.
// docs/security.md tells the results. For daemonset.test.ts.
import { expect } from "bun:test";
import { readKernel } from "../../support/borrowed-kernel.ts";
import { podOf, type Container, type PodSpec } from "../../support/helm.ts";
import { onNode, probe, startAgent, until, type Scene } from "./life.ts";

export interface Trial {
  name: string;
  /** Of the chart. */
  values?: object;
  /** Changes the rendered pod further. */
  change?: (pod: PodSpec, agent: Container) => void;
  expected:
    | { installs: true; readsKernelLog: boolean }
    /** The agent ends, and its log says this. */
    | { installs: false; says: string };
}

export const TRIALS: readonly Trial[] = [
  {
    name: "as rendered: not privileged, CAP_SYSLOG only, read-only root, seccomp: installs and reads the kernel's log",
    expected: { installs: true, readsKernelLog: true },
  },
  {
    name: "without CAP_SYSLOG: installs, and says that the kernel's log is closed",
    values: { "daemonset.kernelLog": false },
    expected: { installs: true, readsKernelLog: false },
  },
  {
    name: "without CAP_SYSLOG and with /dev/kmsg as a hostPath: the device stays closed",
    values: {
      "daemonset.kernelLog": false,
      "daemonset.extraVolumes": [
        { name: "kmsg", hostPath: { path: "/dev/kmsg", type: "CharDevice" } },
      ],
      "daemonset.extraVolumeMounts": [{ name: "kmsg", mountPath: "/dev/kmsg" }],
    },
    expected: { installs: true, readsKernelLog: false },
  },
  {
    name: "privileged: installs",
    values: { "daemonset.privileged": true },
    expected: { installs: true, readsKernelLog: true },
  },
  {
    name: "without the three sysctl files: /proc/sys is read-only, and that is said",
    values: { "daemonset.extraEnvVars": [{ name: "PROC_ROOT", value: "/proc" }] },
    change: (_pod, agent) => {
      agent.volumeMounts = (agent.volumeMounts ?? []).filter(
        ({ mountPath }) => !mountPath.startsWith("/host/proc"),
      );
    },
    expected: { installs: false, says: "/proc/sys is read-only here" },
  },
  {
    name: "as another user than root: the host's folder refuses, and that is said",
    change: (_pod, agent) => {
      agent.securityContext = { ...agent.securityContext, runAsUser: 65534, runAsGroup: 65534 };
    },
    expected: { installs: false, says: "/var/mnt/core-dump-handler" },
  },
];

export async function tryPrivileges(scene: Scene, { change, expected }: Trial): Promise<void> {
  await onNode(scene, async (hostDir) => {
    const before = readKernel();
    const pod = structuredClone(podOf(scene.manifests));
    const [agent] = pod.containers;
    if (agent !== undefined) change?.(pod, agent);
    const running = await startAgent(scene, pod);
    if (!expected.installs) {
      expect(await running.ended()).not.toBe(0);
      expect(await running.log()).toContain(expected.says);
      expect(readKernel()).toEqual(before);
      // The other container of the pod goes too.
      await running.stop();
      return;
    }
    await until(running, "readiness", async () => (await probe(scene.port, "/readyz")) === 200);
    expect(readKernel().corePattern).toStartWith(`|${hostDir}/cdc `);
    expect(await kernelLogReadable(scene.port)).toBe(expected.readsKernelLog);
    expect(await running.exec(["/app/core-dump-agent", "remove"])).toMatchObject({ exitCode: 0 });
    expect(await running.stop()).toBe(0);
    expect(readKernel()).toEqual(before);
  });
}

async function kernelLogReadable(port: number): Promise<boolean> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return metrics.includes("\ncore_dump_handler_kernel_log_readable 1\n");
}
