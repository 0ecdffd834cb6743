// Decides whether the agent may look into a volume over a container's /tmp. It does so only where it cannot have to
// wait: a server that is away, or a hostile FUSE process, would block the agent for every container.
import { readMount } from "../../host/mounts.ts";
import { CORE_FILE_DIRECTORY } from "../../model/core-file-pattern.ts";
import type { Place } from "./container-place.ts";

const LOCAL = new Set(["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "tmpfs", "overlay"]);

/** Returns the place, or a "none" with the reason. Reads the mount's kind and does not touch the mount itself. */
export async function judgeVolume(place: Place, mountInfo?: string): Promise<Place> {
  if (place.kind !== "mount") return place;
  const mount = await readMount(place.path, mountInfo);
  if (mount === undefined || LOCAL.has(mount.fsType)) return place;
  const why = `the volume at ${CORE_FILE_DIRECTORY} is on ${mount.fsType}, which is not looked into`;
  return { kind: "none", why };
}
