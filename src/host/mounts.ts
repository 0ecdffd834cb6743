// Finds the filesystem of a path and how it is mounted, from /proc/pid/mountinfo (proc(5)).
import { readFile } from "node:fs/promises";
import { errnoOf } from "../model/app-error.ts";

/** A mount. */
export interface Mount {
  mountPoint: string;
  /** `ext4`, `overlay`, `tmpfs` … */
  fsType: string;
  /** The options of the mount and of its filesystem: `ro`, `noexec`, `nosuid` … */
  options: string[];
}

/** Returns the mount that `path`, existing or not, is on; undefined where there is no mountinfo. */
export async function readMount(
  path: string,
  mountInfo = "/proc/self/mountinfo",
): Promise<Mount | undefined> {
  let text: string;
  try {
    text = await readFile(mountInfo, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  let best: Mount | undefined;
  for (const line of text.split("\n")) {
    const mount = parseMountInfo(line);
    // Of several mounts at one point the last is on top (mount(8)).
    if (mount !== undefined && isBelow(path, mount.mountPoint) && !isLonger(best, mount))
      best = mount;
  }
  return best;
}

function isLonger(best: Mount | undefined, mount: Mount): boolean {
  return best !== undefined && best.mountPoint.length > mount.mountPoint.length;
}

function isBelow(path: string, mountPoint: string): boolean {
  return mountPoint === "/" || path === mountPoint || path.startsWith(`${mountPoint}/`);
}

/** Parses a line such as `36 35 98:0 /root /mount/point rw,noatime shared:1 - ext4 /dev/root rw,errors=continue`. */
function parseMountInfo(line: string): Mount | undefined {
  const [before, after] = line.split(" - ");
  const fields = before?.split(" ") ?? [];
  const [mountPoint, mountOptions] = [fields[4], fields[5]];
  if (mountPoint === undefined || mountOptions === undefined) return undefined;
  const [fsType = "", , superOptions = ""] = after?.split(" ") ?? [];
  return {
    mountPoint: unescapeOctal(mountPoint),
    fsType,
    options: [...new Set([...mountOptions.split(","), ...superOptions.split(",")])],
  };
}

/** Decodes \ooo, which the kernel writes for blank, tab, newline and backslash. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(parseInt(octal, 8)),
  );
}
