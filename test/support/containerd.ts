// A containerd of the tests' own: private root, state and socket in a temporary folder, started in some
// 0.2 s, and gone without a trace, its pods, shims and mounts included. Pods are pods.ts's.
import { chmod, copyFile, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildStatic, writeImage } from "./container-images.ts";
import { endCgroup } from "./cgroups.ts";
import { CriDriver } from "./cri-driver.ts";
import { findProgram, missingProgram } from "./gate.ts";
import { runTool } from "./run-tool.ts";

export interface Containerd {
  socket: string;
  /** Where pods.ts puts the pods' log directories. */
  podLogs: string;
  cri: CriDriver;
  /** The cgroup of every pod that pods.ts started: the kubelet would remove them, so stop() does. */
  podCgroups: string[];
  /** Kills the daemon; shims and containers live on, as they would. */
  kill(): Promise<void>;
  /** Ends the pods, the daemon, the shims and the mounts. */
  stop(): Promise<void>;
}

export const APP_IMAGE = "registry.test/app:1";
export const SHELL_IMAGE = "registry.test/shell:1";
const PAUSE_IMAGE = "registry.test/pause:1";

/** Busybox's static build has no name of its own: both packages call it busybox. */
const BUSYBOX = "/bin/busybox";

/** What is missing on this machine, or undefined. */
export function containerdObstacle(): string | undefined {
  return (
    missingProgram("containerd") ??
    missingProgram("runc") ??
    missingProgram("gcc") ??
    missingProgram("busybox")
  );
}

/** Starts a containerd that has the images of pods.ts. `wrapper` is a command to start it by. */
export async function startContainerd(
  folder: string,
  { wrapper = [] }: { wrapper?: string[] } = {},
): Promise<Containerd> {
  const socket = join(folder, "containerd.sock");
  await writeFile(join(folder, "config.toml"), configuration(folder, socket));
  await installNetwork(join(folder, "cni"));
  const log = Bun.file(join(folder, "containerd.log"));
  const daemon = Bun.spawn(
    [...wrapper, findProgram("containerd") ?? "containerd", "-c", join(folder, "config.toml")],
    { stdio: ["ignore", log, log] },
  );
  const cri = new CriDriver(socket);
  const kill = async () => {
    daemon.kill("SIGKILL");
    await daemon.exited;
  };
  const stop = async () => {
    await removePods(cri);
    cri.close();
    await kill();
    await endShims(socket);
    for (const path of podCgroups) await endCgroup(path);
    await unmountBelow(folder);
  };
  const podCgroups: string[] = [];
  try {
    await untilAnswering(cri, daemon, join(folder, "containerd.log"));
    await importImages(folder, socket);
  } catch (error) {
    await stop();
    throw error;
  }
  return { socket, podLogs: join(folder, "pods"), cri, podCgroups, kill, stop };
}

async function installNetwork(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of ["paper", "loopback"]) {
    await copyFile(join(import.meta.dir, "../fixtures/container/cni.sh"), join(folder, name));
    await chmod(join(folder, name), 0o755);
  }
  const network = { cniVersion: "0.4.0", name: "paper", plugins: [{ type: "paper" }] };
  await writeFile(join(folder, "paper.conflist"), JSON.stringify(network));
}

function configuration(folder: string, socket: string): string {
  const cri = `plugins."io.containerd.grpc.v1.cri"`;
  return `version = 2
root = "${folder}/root"
state = "${folder}/state"
temp = "${folder}/temp"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "${socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${folder}/opt"
[${cri}]
  sandbox_image = "${PAUSE_IMAGE}"
  disable_apparmor = true
  # without CAP_SYS_RESOURCE a lower oom_score_adj is refused
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
[${cri}.containerd]
  snapshotter = "overlayfs"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
[${cri}.cni]
  bin_dir = "${folder}/cni"
  conf_dir = "${folder}/cni"
`;
}

async function untilAnswering(cri: CriDriver, daemon: Bun.Subprocess, log: string): Promise<void> {
  for (let tries = 0; tries < 200 && daemon.exitCode === null; tries++) {
    const answered = await cri.call("Version", { version: "v1" }).catch(() => null);
    if (answered !== null) return;
    await Bun.sleep(50);
  }
  throw new Error(`containerd did not start:\n${(await readFile(log, "utf8")).slice(-4000)}`);
}

async function importImages(folder: string, socket: string): Promise<void> {
  const [app, honest, hostile] = await Promise.all([
    buildStatic("app", folder),
    buildStatic("honest", folder),
    buildStatic("hostile", folder),
  ]);
  const images = [
    {
      reference: PAUSE_IMAGE,
      files: { pause: await buildStatic("pause", folder) },
      entrypoint: ["/pause"],
    },
    {
      reference: APP_IMAGE,
      files: { "bin/app": app, "bin/secret": app, "bin/honest": honest, "bin/hostile": hostile },
      entrypoint: ["/bin/app"],
      unreadable: ["bin/secret"],
    },
    {
      reference: SHELL_IMAGE,
      files: { "bin/sh": BUSYBOX, "bin/sleep": BUSYBOX },
      entrypoint: ["/bin/sh"],
      user: "app",
    },
  ];
  for (const image of images) {
    const path = await writeImage(image, folder);
    await runTool(["ctr", "--address", socket, "--namespace", "k8s.io", "images", "import", path]);
  }
}

async function removePods(cri: CriDriver): Promise<void> {
  const listed = await cri.call("ListPodSandbox").catch(() => ({}));
  const pods = ("items" in listed ? listed["items"] : []) as { id: string }[];
  for (const { id } of pods) {
    const pod_sandbox_id = { podSandboxId: id };
    await cri.call("StopPodSandbox", pod_sandbox_id).catch(() => undefined);
    await cri.call("RemovePodSandbox", pod_sandbox_id).catch(() => undefined);
  }
}

/**
 * Shims outlive their containerd by design, and containers their shim; those of ours name its socket on
 * their command line. Nothing is left of them where the pods were removed in good order.
 */
async function endShims(socket: string): Promise<void> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const shims = new Set<string>();
  for (const pid of pids) {
    const cmdline = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (cmdline.includes("containerd-shim") && cmdline.split("\0").includes(socket)) shims.add(pid);
  }
  if (shims.size === 0) return;
  for (const pid of pids) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const parent = /^PPid:\s+(\d+)$/m.exec(status)?.[1] ?? "";
    if (shims.has(parent)) process.kill(Number(pid), "SIGKILL");
  }
  for (const pid of shims) process.kill(Number(pid), "SIGKILL");
}

async function unmountBelow(folder: string): Promise<void> {
  const paths = (await readFile("/proc/self/mountinfo", "utf8"))
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of paths.reverse()) await runTool(["umount", "-l", path]);
}
