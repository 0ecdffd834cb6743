import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readMount } from "../../../src/host/mounts.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mounts-"));
  writeFileSync(
    join(folder, "mountinfo"),
    [
      "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=continue",
      "30 22 8:2 / /var rw,nosuid,noexec shared:2 - ext4 /dev/sda2 rw",
      "31 30 8:3 / /var/mnt rw shared:3 - xfs /dev/sda3 ro,attr2",
      "32 22 8:4 / /with\\040blank rw shared:4 - xfs /dev/sda4 rw",
      "33 22 8:5 / /with\\040blank rw,noexec shared:5 - xfs /dev/sda5 rw",
      "",
    ].join("\n"),
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ["/srv/x", "/", "relatime"],
  ["/var/lib", "/var", "noexec"],
  ["/variable", "/", "relatime"],
  ["/var/mnt/cdh/not-yet-there", "/var/mnt", "ro"],
  ["/with blank/x", "/with blank", "noexec"],
])("%s lies on %s", async (path, mountPoint, option) => {
  const mount = await readMount(path, join(folder, "mountinfo"));
  expect(mount?.mountPoint).toBe(mountPoint);
  expect(mount?.options).toContain(option);
});

test("where the kernel does not tell there is no answer, and here there is one", async () => {
  expect(await readMount("/x", join(folder, "none"))).toBeUndefined();
  expect((await readMount("/proc/self"))?.mountPoint).toBe("/proc");
});
