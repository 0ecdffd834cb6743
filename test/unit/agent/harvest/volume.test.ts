import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { judgeVolume } from "../../../../src/agent/harvest/volume.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const MOUNTS = `
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:50 / /pods/a/nfs rw,relatime shared:5 - nfs4 server:/x rw
41 22 0:51 / /pods/a/fuse rw,relatime shared:6 - fuse.sshfs host:/x rw
42 22 0:52 / /pods/a/memory rw,relatime shared:7 - tmpfs tmpfs rw
`;

test("only volumes that cannot make us wait are looked into", () =>
  withFolder(async (folder) => {
    const mountInfo = join(folder, "mountinfo");
    await writeFile(mountInfo, MOUNTS);
    const judge = (path: string) => judgeVolume({ kind: "mount", path }, mountInfo);
    for (const path of ["/pods/a/disk", "/pods/a/memory"])
      expect(await judge(path)).toEqual({ kind: "mount", path });
    for (const kind of ["nfs4", "fuse.sshfs"])
      expect(await judge(`/pods/a/${kind.slice(0, kind.startsWith("nfs") ? 3 : 4)}`)).toEqual({
        kind: "none",
        why: `the volume at /tmp is on ${kind}, which is not looked into`,
      });
    const layer = { kind: "layer", upperDir: "/pods/a/nfs", lowerDirs: [] } as const;
    expect(await judgeVolume(layer, mountInfo)).toBe(layer);
  }));
