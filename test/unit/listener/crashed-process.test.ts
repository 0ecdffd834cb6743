import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { podOf } from "../../../src/listener/crashed-process.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const UID = "d68f841a-f122-4f09-ab3b-a363c9d19dd7";
const ID = "181fc603c9d0b7f5e51298f314527f157b5ae662589cd68ed42be916b5ee69b2";

test("a crash is its pod's, by the thread that is left too, else its container's, else the host's", () =>
  withFolder(async (procDir) => {
    const write = (pid: number, thread: number, cgroup: string) => {
      const folder = join(procDir, String(pid), "task", String(thread));
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "cgroup"), cgroup);
    };
    write(1, 1, `0::/kubepods/besteffort/pod${UID}/${ID}\n`);
    // A first thread that has ended is in the root (cgroups(7), v1).
    write(2, 2, "0::/\n");
    write(2, 9, `0::/kubepods/besteffort/pod${UID}/${ID}\n`);
    write(3, 3, `0::/system.slice/docker-${ID}.scope\n`);
    write(4, 4, "0::/system.slice/sshd.service\n");
    expect([1, 2, 3, 4, 5].map((pid) => podOf(procDir, pid))).toEqual([UID, UID, ID, "", ""]);
  }));
