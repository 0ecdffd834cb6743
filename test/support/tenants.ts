// The tenants of a campaign, as pods of a real containerd: an honest one crashes when it is told to, and says so in its
// log; a hostile one does all the time what an unprivileged pod can do.
import { readFile } from "node:fs/promises";
import { APP_IMAGE, type Containerd } from "./containerd.ts";
import { startPod, type ContainerWish } from "./pods.ts";

export interface HonestTenant {
  namespace: string;
  podname: string;
  /** One more crash. It does not wait for it. */
  crash(): void;
  /** The names of the processes that crashed, as its own log has them. */
  crashed(): Promise<string[]>;
}

const UID = 1000;
/** Each process's, and each connection's, for ever. */
const VAST_PROCESSES = 40;
const CONNECTIONS = 3000;
/** What Kubernetes allows a pod (262,144 bytes), less what others add. */
const ANNOTATION_BYTES = 250_000;

export async function startHonest(
  containerd: Containerd,
  name: string,
  megabytes: number,
): Promise<HonestTenant> {
  const { containers } = await startPod(containerd, {
    name,
    namespace: `tenant-${name}`,
    containers: [
      {
        name: "app",
        image: APP_IMAGE,
        command: ["/bin/honest"],
        args: [name, String(megabytes)],
        uid: UID,
      },
    ],
  });
  const [container] = containers;
  if (container === undefined) throw new Error("the pod has no container");
  return {
    namespace: `tenant-${name}`,
    podname: name,
    crash: () => void process.kill(container.pid, "SIGUSR1"),
    crashed: async () => {
      const log = await readFile(container.logPath, "utf8");
      return [...log.matchAll(/ F crash (\S+)\n/g)].map(([, process]) => process ?? "");
    },
  };
}

export interface HostilePlan {
  /** The pod whose host name it takes. */
  victim: string;
  /** The agent's port. */
  port: number;
  /** Between two of its crashes. */
  everyMs: number;
}

/** Returns how to end it: with their first processes, all others end. */
export async function startHostile(
  containerd: Containerd,
  { victim, port, everyMs }: HostilePlan,
): Promise<() => void> {
  const container = (...args: string[]): ContainerWish[] => [
    { name: "app", image: APP_IMAGE, command: ["/bin/hostile"], args, uid: UID },
  ];
  const pods = await Promise.all([
    startPod(containerd, {
      name: "siege",
      namespace: "tenant-hostile",
      hostname: victim,
      annotations: { note: "\u0001".repeat(ANNOTATION_BYTES) },
      containers: container("siege", String(VAST_PROCESSES), String(everyMs)),
    }),
    startPod(containerd, {
      name: "connections",
      namespace: "tenant-hostile",
      hostNetwork: true,
      containers: container("connect", String(port), String(CONNECTIONS)),
    }),
  ]);
  return () => {
    for (const { containers } of pods)
      for (const { pid } of containers) process.kill(pid, "SIGKILL");
  };
}
