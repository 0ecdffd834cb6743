// Which container a process belongs to, from the text of /proc/PID/cgroup (cgroups(7)).
// Knows how container runtimes name their cgroups (test/fixtures/cgroup has each form with its source), v1, v2 and
// hybrid, cgroupfs and systemd drivers. Does not know whether the runtime still has that container.

/** What /proc/PID/cgroup tells about a process: a container's process, the host's own, or nothing that can be read. */
export type CgroupIdentity =
  | {
      kind: "container";
      /**
       * Null where the path names only the pod, or neither: a process that is not clearly the host's counts as a
       * container's.
       */
      containerId: string | null;
      /** The pod's uid as Kubernetes writes it, where the path names it. */
      podUid: string | null;
      path: string;
    }
  | { kind: "host"; path: string }
  /** No line of the text was a cgroup line. */
  | { kind: "unreadable" };

/**
 * How one path segment names a container: by its id alone or behind the runtime's prefix, with or without systemd's
 * ".scope". cri-containerd-ID.scope, crio-ID, libpod-payload-ID, :youki:ID, kata_ID,
 * kubepods-podUID.slice:cri-containerd:ID.
 */
const CONTAINER_FORM = /^(?:[\w.:@\\-]*[-:_])?([0-9a-f]{64})(?:\.scope)?$/;
/** The monitor of a container (Podman, CRI-O): it holds the container's output, and is not the container. */
const MONITOR_FORM = /(?:^|-)conmon-[0-9a-f]{64}(?:\.scope)?$/;

const UUID = "[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}";
/** podUID, or …kubepods-burstable-podU_I_D.slice; static pods have 32 hex digits without dashes. */
const POD_FORM = new RegExp(`(?:^|-)pod(${UUID}|[0-9a-f]{32})(?:\\.slice)?(?::|$)`);

/** systemd's units on the host; a process outside them is a container's (systemd.unit(5), systemd.scope(5)). */
const HOST_UNITS: readonly RegExp[] = [
  /^(?!machine[.-]|(?:.*-)?kubepods[.-])[\w:.\\@-]+\.slice$/,
  /^(?!systemd-nspawn@)[\w:.\\@-]+\.(?:service|mount|socket|swap)$/,
  // Scopes of logind, systemd-run, desktops and terminals. A container's scope has its runtime's name instead.
  /^(?:init|(?:session|run|app|vte-spawn|tmux-spawn)-[\w:.\\@-]+)\.scope$/,
  // Sub-groups of a service: its own commands (ExecStartPost=), and udev's workers.
  /^(?:\.control|udev)$/,
];

/**
 * Parses /proc/PID/cgroup. The outermost pod wins, and its container is the very next level, else the outermost
 * container: what a container nests inside its own cgroup (docker in docker, systemd, a hostile name) cannot pass for
 * another one. A path of no known form counts as a container's, unless it is one of the host's units.
 */
export function parseCgroup(text: string): CgroupIdentity {
  const lines = cgroupLines(text);
  const found = lines
    .map(({ path }) => ({ ...findContainer(path), path }))
    .toSorted((a, b) => nameCount(b) - nameCount(a))[0];
  if (found === undefined) return { kind: "unreadable" };
  if (nameCount(found) > 0) return { kind: "container", ...found };
  const telling = lines.filter(({ tellsProcesses }) => tellsProcesses);
  const paths = (telling.length > 0 ? telling : lines).map(({ path }) => path);
  const strange = paths.find((path) => !isHostPath(path));
  if (strange !== undefined) return { kind: "container", ...found, path: strange };
  return { kind: "host", path: paths.toSorted((a, b) => b.length - a.length)[0] ?? "/" };
}

interface CgroupLine {
  path: string;
  /** True for a hierarchy in which systemd separates processes; the others only limit resources. */
  tellsProcesses: boolean;
}

/** The `hierarchy:controllers:path` lines; the unified hierarchy (0::) first. */
function cgroupLines(text: string): CgroupLine[] {
  const lines: CgroupLine[] = [];
  for (const line of text.split("\n")) {
    const [, hierarchy, controllers, found] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (found === undefined) continue;
    // cgroups(7): the path of a removed cgroup ends in " (deleted)".
    const path = found.replace(/ \(deleted\)$/, "");
    if (hierarchy === "0") lines.unshift({ path, tellsProcesses: true });
    else lines.push({ path, tellsProcesses: controllers === "name=systemd" });
  }
  return lines;
}

interface Names {
  containerId: string | null;
  podUid: string | null;
}

/**
 * Counts what a path names. A path with a pod is worth more than a container alone, because a whole node may run inside
 * that container.
 */
function nameCount({ containerId, podUid }: Names): number {
  return (podUid === null ? 0 : 2) + (containerId === null ? 0 : 1);
}

function findContainer(path: string): Names {
  const segments = path.split("/");
  for (const [index, segment] of segments.entries()) {
    const podUid = matchPod(segment);
    // Looks no deeper: a container whose own cgroup has no known form could create a cgroup with another container's
    // name there.
    if (podUid !== null)
      return {
        containerId: matchContainer(segment) ?? matchContainer(segments[index + 1]),
        podUid,
      };
  }
  // Looks for pods first: a container above a pod is one in which a whole node runs (kind, docker in docker).
  const outside = segments.map((segment) => matchContainer(segment)).find((id) => id !== null);
  return { containerId: outside ?? null, podUid: null };
}

function matchContainer(segment = ""): string | null {
  return MONITOR_FORM.test(segment) ? null : (CONTAINER_FORM.exec(segment)?.[1] ?? null);
}

function matchPod(segment: string): string | null {
  return POD_FORM.exec(segment)?.[1]?.replaceAll("_", "-") ?? null;
}

/**
 * True for the root and for paths made of the host's units alone. Seen from a cgroup namespace, a path begins with
 * "..".
 */
function isHostPath(path: string): boolean {
  if (path === "/") return true;
  const units = path.split("/").filter((segment) => segment !== "" && segment !== "..");
  return units.length > 0 && units.every((unit) => HOST_UNITS.some((form) => form.test(unit)));
}
