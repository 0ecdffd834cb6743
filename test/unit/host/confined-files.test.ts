import { expect, test } from "bun:test";
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, symlinkSync } from "node:fs";
import { chown, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  findWriters,
  listEntries,
  openDirectoryAt,
  openEntry,
  openFound,
  removeEntry,
} from "../../../src/host/confined-files.ts";
import { errnoOf } from "../../../src/model/app-error.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { withFolder } from "../../support/temporary-folder.ts";

/** Runs with an open directory of a test's own. */
function withDirectory(body: (fd: number, folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const fd = openDirectoryAt(folder);
    try {
      await body(fd, folder);
    } finally {
      closeSync(fd);
    }
  });
}

function errorOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return errnoOf(error) ?? String(error);
  }
  return undefined;
}

const name = (text: string) => Buffer.from(text);

test("a directory behind a link is none, wherever in its path the link is", () =>
  withDirectory(async (fd, folder) => {
    mkdirSync(join(folder, "real/inner"), { recursive: true });
    symlinkSync("real", join(folder, "link"));
    expect(errorOf(() => openDirectoryAt(join(folder, "link")))).toBe("ENOTDIR");
    expect(errorOf(() => openDirectoryAt(join(folder, "link/inner")))).toBe("ENOTDIR");
    expect(errorOf(() => openEntry(fd, name("link"), "directory"))).toBe("ENOTDIR");
    closeSync(openDirectoryAt(join(folder, "real/inner")));
  }));

test("a link is looked at itself, not what it leads to", () =>
  withDirectory(async (fd, folder) => {
    symlinkSync("/etc/passwd", join(folder, "link"));
    const found = openEntry(fd, name("link"), "any");
    expect(fstatSync(found).isSymbolicLink()).toBe(true);
    closeSync(found);
  }));

for (const path of ["../x", "..", "a/b", "a\0b", "/etc"])
  test(`${JSON.stringify(path)} is not one name`, () =>
    withDirectory(async (fd) => {
      expect(errorOf(() => openEntry(fd, name(path), "any"))).toBe("EINVAL");
    }));

test("what was found stays the same file, renamed or removed", () =>
  withDirectory(async (fd, folder) => {
    await writeFile(join(folder, "a"), "mine");
    const found = openEntry(fd, name("a"), "any");
    await rename(join(folder, "a"), join(folder, "b"));
    await writeFile(join(folder, "a"), "another's");
    const file = openFound(found);
    expect(removeEntry(fd, name("b"))).toBe(true);
    expect(removeEntry(fd, name("b"))).toBe(false);
    expect(readFileSync(file, "utf8")).toBe("mine");
    closeSync(found);
    closeSync(file);
  }));

test("names that are no text, or many, are listed by their prefix", () =>
  withDirectory(async (fd, folder) => {
    const odd = Buffer.from([0x2e, 0x78, 0xff, 0x0a, 0xfe]);
    await writeFile(Buffer.concat([name(`${folder}/`), odd]), "");
    for (let n = 0; n < 3000; n++) closeSync(openSync(join(folder, `other-${n}`), "w"));
    expect(listEntries(fd, ".x", 10_000)).toEqual([odd]);
    expect(listEntries(fd, "other-", 10_000)).toHaveLength(3000);
    expect(listEntries(fd, "other-", 100).length).toBeLessThan(3000);
    expect(await readdir(folder)).toHaveLength(3001);
  }));

test("a file that anybody has open for writing is told, and leaves no lease behind", () =>
  withDirectory(async (fd, folder) => {
    const path = join(folder, "a");
    const writer = openSync(path, "w");
    const found = openEntry(fd, name("a"), "any");
    const file = openFound(found);
    expect(findWriters(file)).toBe("some");
    closeSync(writer);
    expect(findWriters(file)).toBe("none");
    // A lease that was kept would hold this up for as long as fs.lease-break-time.
    closeSync(openSync(path, "r+"));
    closeSync(found);
    closeSync(file);
  }));

test("a file that is not open as asked, or is none, is not known to be written", () =>
  withDirectory(async (fd) => {
    expect(findWriters(fd)).toBe("unknown");
  }));

gatedTest(
  "without CAP_LEASE, who writes another user's file is not known",
  [process.getuid?.() === 0 ? undefined : "needs root", missingProgram("setpriv")],
  () =>
    withDirectory(async (_, folder) => {
      const path = join(folder, "another-s");
      await writeFile(path, "");
      await chown(path, 1000, 1000);
      const module = join(import.meta.dir, "../../../src/host/confined-files.ts");
      const script = `
        const { findWriters } = await import(${JSON.stringify(module)});
        const { openSync } = await import("node:fs");
        console.log(findWriters(openSync(${JSON.stringify(path)}, "r")));`;
      const run = (...setpriv: string[]) =>
        Bun.spawnSync([...setpriv, process.execPath, "-e", script], { stdout: "pipe" })
          .stdout.toString()
          .trim();
      expect(run()).toBe("none");
      expect(run("setpriv", "--bounding-set=-lease", "--inh-caps=-lease")).toBe("unknown");
    }),
);
