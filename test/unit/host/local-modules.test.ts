import { expect, test } from "bun:test";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openLocalModules } from "../../../src/host/local-modules.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const wanted = (path: string, buildId: string | null = null) => ({
  path,
  buildId,
  start: 0n,
  end: 1n,
});

/** What each candidate holds, or why it is none. */
function candidates(
  places: Parameters<typeof openLocalModules>[0],
  ...of: Parameters<typeof wanted>
) {
  const modules = openLocalModules(places);
  const found = [...modules.find(wanted(...of))].map((module) =>
    "bytes" in module ? module.bytes.read(0, 100).toString() : module.missing,
  );
  modules.close();
  return found;
}

test("a sysroot holds the files by their paths, and nothing else is looked at", async () => {
  await withFolder(async (folder) => {
    await mkdir(join(folder, "usr/lib"), { recursive: true });
    await writeFile(join(folder, "usr/lib/libc.so.6"), "the library");
    expect(candidates({ sysroot: folder }, "/usr/lib/libc.so.6 (deleted)")).toContain(
      "the library",
    );
    expect(candidates({ sysroot: folder }, "/lib/libc.so.6")).toContain("the library");
    expect(candidates({ sysroot: folder }, "/../../etc/passwd")).toEqual([
      "its file is not here",
      "its file is not here",
    ]);
    expect(candidates({ sysroot: folder }, "/bin/sh")).not.toContain("the library");
  });
});

test("a folder of modules holds them by name or by build id, as debuginfod lays them out", async () => {
  await withFolder(async (folder) => {
    const id = "93ac61ec5a8eb1396f9fbd350e3169a558528a40";
    await mkdir(join(folder, "buildid", id), { recursive: true });
    await writeFile(join(folder, "buildid", id, "executable"), "by id");
    await writeFile(join(folder, "app"), "by name");
    expect(candidates({ modules: folder }, "/nowhere/app", id).slice(0, 3)).toEqual([
      "by id",
      "its file is not here",
      "by name",
    ]);
    expect(candidates({ modules: folder }, "/nowhere/app", "../../app")[0]).toBe("by name");
  });
});

test("what is no regular file is not opened", async () => {
  await withFolder(async (folder) => {
    await symlink("/dev/zero", join(folder, "zero"));
    expect(candidates({ modules: folder }, "/zero")[0]).toBe(
      "its file cannot be read: no regular file",
    );
    expect(candidates({}, "/dev/null")).toEqual(["its file cannot be read: no regular file"]);
    expect(candidates({}, folder)).toEqual(["its file cannot be read: no regular file"]);
  });
});
