// Each right of socket and file capture that the agent's container has, taken away: what is said then. The
// listener's are in listener-rights.ts; docs/security.md tells the results.
import { expect } from "bun:test";
import type { CaptureMode } from "../../../src/model/capture-mode.ts";
import { captureModeOf } from "../../../src/model/core-pattern.ts";
import { readKernel } from "../../support/borrowed-kernel.ts";
import { capabilitiesOf, podOf, type Container, type PodSpec } from "../../support/helm.ts";
import { onNode, probe, startAgent, until, type Scene } from "./life.ts";
import type { Trial } from "./privileges.ts";

function without(capability: string): NonNullable<Trial["change"]> {
  return (_pod, agent) => {
    const add = capabilitiesOf(agent).filter((each) => each !== capability);
    agent.securityContext = { ...agent.securityContext, capabilities: { drop: ["ALL"], add } };
  };
}

function withoutMount(name: string): NonNullable<Trial["change"]> {
  return (_pod, agent) => {
    agent.volumeMounts = (agent.volumeMounts ?? []).filter((mount) => mount.name !== name);
  };
}

const SOCKET = { "daemonset.captureMode": "socket" };
const FILE = { "daemonset.captureMode": "file" };
const NO_NAMESPACE = "cannot enter the host's mount namespace";

export const SOCKET_TRIALS: readonly Trial[] = [
  ...["SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE"].map((capability): Trial => ({
    name: `an agent without ${capability} cannot set core_pattern to a socket, and says so`,
    values: SOCKET,
    change: without(capability),
    expected: { installs: false, says: NO_NAMESPACE },
  })),
  {
    name: "a pod without hostPID is told so, and which value gives it",
    values: SOCKET,
    change: (pod) => {
      delete pod["hostPID"];
    },
    expected: { installs: false, says: "daemonset.captureFallback=true" },
  },
  {
    name: "a pod without a listener is told so: core_pattern never names a socket of nobody's",
    values: SOCKET,
    change: (pod) => {
      pod.containers = pod.containers.filter(({ name }) => name !== "listener");
    },
    expected: { installs: false, says: "no listener answers" },
  },
  {
    name: "an agent that cannot reach the send buffer it is to set installs nothing, and says so",
    values: { ...SOCKET, "daemonset.socketSendBuffer": "2Mi" },
    change: withoutMount("wmem-default"),
    expected: { installs: false, says: "cannot read net.core.wmem_default" },
  },
];

export const FILE_TRIALS: readonly Trial[] = [
  ...["DAC_OVERRIDE", "FOWNER", "LEASE"].map((capability): Trial => ({
    name: `an agent without ${capability} collects no files, and says so`,
    values: FILE,
    change: without(capability),
    expected: { installs: false, says: `the agent has no CAP_${capability}` },
  })),
  {
    name: "an agent without the runtime's socket collects no files, and says so",
    values: FILE,
    change: withoutMount("runtime"),
    expected: { installs: false, says: "no container runtime answered" },
  },
];

/** The canary of file capture dies in the agent's own container. */
export async function tryWithoutTmp(scene: Scene): Promise<void> {
  await onNode(scene, async () => {
    const agent = await startAgent(scene, changed(scene, withoutMount("tmp")));
    await until(agent, "the doctor's word", async () =>
      (await agent.log()).includes("the kernel wrote no core file into our own /tmp"),
    );
    expect(await probe(scene.port, "/readyz")).toBe(503);
    await leave(agent);
  });
}

/** What `auto` takes on this node, and that it works there. */
export async function chooseOnNode(scene: Scene, mode: CaptureMode): Promise<void> {
  await onNode(scene, async (hostDir) => {
    const agent = await startAgent(scene);
    await until(agent, "readiness", async () => (await probe(scene.port, "/readyz")) === 200);
    expect(captureModeOf(readKernel().corePattern, hostDir)).toBe(mode);
    expect(await agent.log()).toContain(`capture_mode mode=${mode}`);
    await leave(agent);
  });
}

function changed({ manifests }: Scene, change: (pod: PodSpec, agent: Container) => void): PodSpec {
  const pod = structuredClone(podOf(manifests));
  const [agent] = pod.containers;
  if (agent !== undefined) change(pod, agent);
  return pod;
}

async function leave(agent: Awaited<ReturnType<typeof startAgent>>): Promise<void> {
  expect(await agent.exec(["/app/core-dump-agent", "remove"])).toMatchObject({ exitCode: 0 });
  expect(await agent.stop()).toBe(0);
}
