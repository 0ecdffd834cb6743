// Lays found modules out for a debugger: below a root folder by their paths and by the loader's names, in one folder by
// their names alone, and debug information by build-id. Everything is a link in a fresh folder; names that the crashed
// process chose lead nowhere else.
import { constants, existsSync } from "node:fs";
import { copyFile, mkdir, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errnoOf } from "../../model/app-error.ts";
import type { SearchedFile } from "./module-search.ts";

/** Where things are for the debugger. */
export interface Layout {
  sysroot: string;
  /** The libraries by their names alone. */
  libraries: string;
  /** What gdb calls debug-file-directory: .build-id/ab/cdef….debug below it. */
  debug: string;
  /** The program; undefined where it is missing. */
  program: string | undefined;
}

/** Folders that distributions have made links to the same below /usr. */
const MERGED = ["lib", "lib64", "lib32", "libx32", "bin", "sbin"];

/** How a folder is laid out. */
export interface LayoutOptions {
  /** Copies can be taken elsewhere. */
  made: "links" | "copies";
  /** Whether empty files stand for missing ones: lldb takes this machine's file of that path otherwise, unasked. */
  hasStubs: boolean;
}

/** Makes the folders in `folder`. debugFiles has paths by build-id. */
export async function layOut(
  folder: string,
  files: readonly SearchedFile[],
  debugFiles: ReadonlyMap<string, string>,
  { made, hasStubs }: LayoutOptions = { made: "links", hasStubs: false },
): Promise<Layout> {
  const place = made === "links" ? link : copy;
  const layout: Layout = {
    sysroot: join(folder, "sysroot"),
    libraries: join(folder, "libraries"),
    debug: join(folder, "debug"),
    program: undefined,
  };
  for (const each of [layout.sysroot, layout.libraries, layout.debug]) await mkdir(each);
  for (const { wanted, path } of files)
    if (path !== undefined) await place(below(layout.sysroot, wanted.path), path);
  for (const name of MERGED)
    if (existsSync(join(layout.sysroot, "usr", name)))
      await ignoringNames(() => symlink(join("usr", name), join(layout.sysroot, name)));
  for (const { wanted, path, source } of files) {
    if (path === undefined) continue;
    for (const name of wanted.names) await place(below(layout.sysroot, name), path);
    for (const name of [...wanted.names, wanted.path])
      await place(join(layout.libraries, basename(name)), path);
    if (wanted.isProgram)
      layout.program = source === "this machine" ? path : below(layout.sysroot, wanted.path);
  }
  for (const { wanted, path } of hasStubs ? files : []) {
    if (path !== undefined) continue;
    for (const name of [wanted.path, ...wanted.names]) {
      await fill(below(layout.sysroot, name), wanted.stub);
      await fill(join(layout.libraries, basename(name)), wanted.stub);
    }
  }
  for (const [buildId, path] of debugFiles) {
    const name = `${buildId.slice(2)}.debug`;
    await place(join(layout.debug, ".build-id", buildId.slice(0, 2), name), path);
  }
  if (layout.program !== undefined && !existsSync(layout.program)) layout.program = undefined;
  return layout;
}

/** A name of the crashed process's below a folder, whatever ".." is in it. */
function below(folder: string, name: string): string {
  return join(folder, join("/", name));
}

/** Makes a link, unless the name is taken or no file system takes it. */
async function link(name: string, target: string): Promise<void> {
  await ignoringNames(async () => {
    await mkdir(dirname(name), { recursive: true });
    await symlink(target, name);
  });
}

async function fill(name: string, content: Uint8Array): Promise<void> {
  await ignoringNames(async () => {
    await mkdir(dirname(name), { recursive: true });
    await writeFile(name, content, { flag: "wx" });
  });
}

/** Copies the file with its times, for debuggers that compare them with the core's. */
async function copy(name: string, source: string): Promise<void> {
  await ignoringNames(async () => {
    await mkdir(dirname(name), { recursive: true });
    await copyFile(source, name, constants.COPYFILE_EXCL);
    const { atime, mtime } = await stat(source);
    await utimes(name, atime, mtime);
  });
}

/** EEXIST: by another name of the same file; ENOTDIR, ENAMETOOLONG: the crashed process chose a strange one. */
const OF_THE_NAME = new Set(["EEXIST", "ENOTDIR", "ENAMETOOLONG", "ELOOP", "EISDIR"]);

async function ignoringNames(step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!OF_THE_NAME.has(errnoOf(error) ?? "")) throw error;
  }
}
