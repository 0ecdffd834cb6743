// Which container a process belongs to, from the text of /proc/PID/cgroup (cgroups(7)).
// Knows how kubelet, containerd, CRI-O, cri-dockerd, k3s and podman name their cgroups, v1, v2 and
// hybrid, cgroupfs and systemd drivers. Does not know whether the runtime still has that container.

export type CgroupIdentity =
  | {
      kind: "container";
      containerId: string;
      /** The pod's uid as Kubernetes writes it, where the path names it. */
      podUid: string | null;
      path: string;
    }
  | { kind: "host"; path: string }
  /** No line of the text was a cgroup line. */
  | { kind: "unreadable" };

const ID = "[0-9a-f]{64}";

/** How one path segment can name a container; the first group is its id. */
const CONTAINER_FORMS: readonly RegExp[] = [
  // cgroupfs driver: containerd, dockerd
  new RegExp(`^(${ID})$`),
  // systemd driver, and CRI-O with cgroupfs: cri-containerd-ID.scope, crio-ID, docker-ID.scope, libpod-ID.scope
  new RegExp(`^(?:cri-containerd|crio|docker|libpod|nerdctl|containerd)-(${ID})(?:\\.scope)?$`),
  // a systemd-style path given to a cgroupfs driver: kubepods-podUID.slice:cri-containerd:ID
  new RegExp(`^[^:]*:[^:]+:(${ID})$`),
];

const UUID = "[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}";
/** podUID, or …kubepods-burstable-podU_I_D.slice; static pods have 32 hex digits without dashes. */
const POD_FORM = new RegExp(`(?:^|-)pod(${UUID}|[0-9a-f]{32})(?:\\.slice)?(?::|$)`);

/**
 * Parses /proc/PID/cgroup. The outermost container below a pod wins: what a container nests inside
 * its own cgroup (docker in docker, systemd, a hostile name) cannot pass for another container.
 */
export function parseCgroup(text: string): CgroupIdentity {
  const paths = cgroupPaths(text);
  let bare: CgroupIdentity | undefined;
  for (const path of paths) {
    const found = findContainer(path);
    if (found === null) continue;
    if (found.podUid !== null) return { kind: "container", ...found, path };
    bare ??= { kind: "container", ...found, path };
  }
  if (bare !== undefined) return bare;
  const longest = paths.toSorted((a, b) => b.length - a.length)[0];
  return longest === undefined ? { kind: "unreadable" } : { kind: "host", path: longest };
}

/** The paths of `hierarchy:controllers:path` lines; the unified hierarchy (0::) first. */
function cgroupPaths(text: string): string[] {
  const paths: string[] = [];
  for (const line of text.split("\n")) {
    const match = /^(\d+):[^:]*:(\/.*)$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    // cgroups(7): the path of a removed cgroup ends in " (deleted)".
    const path = match[2].replace(/ \(deleted\)$/, "");
    if (match[1] === "0") paths.unshift(path);
    else paths.push(path);
  }
  return paths;
}

function findContainer(path: string): { containerId: string; podUid: string | null } | null {
  let outside: string | null = null;
  let podUid: string | null = null;
  for (const segment of path.split("/")) {
    podUid ??= matchPod(segment);
    const containerId = matchContainer(segment);
    if (containerId === null) continue;
    // A container above any pod is where a whole node lives (kind, docker in docker): go on looking.
    if (podUid !== null) return { containerId, podUid };
    outside ??= containerId;
  }
  return outside === null ? null : { containerId: outside, podUid };
}

function matchContainer(segment: string): string | null {
  for (const form of CONTAINER_FORMS) {
    const id = form.exec(segment)?.[1];
    if (id !== undefined) return id;
  }
  return null;
}

function matchPod(segment: string): string | null {
  return POD_FORM.exec(segment)?.[1]?.replaceAll("_", "-") ?? null;
}
