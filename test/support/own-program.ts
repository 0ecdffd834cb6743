// A program with a library of its own, built for one test: no other machine has these files. Their debug information can
// be split off, as a build pipeline does it.
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { runTool } from "./run-tool.ts";

const SOURCES = join(import.meta.dir, "../fixtures/modules");

export interface OwnProgram {
  program: string;
  library: string;
  /** The split debug information of both; none where they were not split. */
  debugFiles: string[];
}

export interface OwnBuild {
  /** Makes another build, with other build-ids. */
  variant?: number;
  /** Strips both and keeps their debug information in files of its own. */
  splits?: boolean;
}

/** Builds into folder/bin/app and folder/lib/libgreet.so.1.2.3, with a link by its soname. */
export async function buildOwnProgram(
  folder: string,
  { variant = 1, splits = false }: OwnBuild = {},
): Promise<OwnProgram> {
  for (const name of ["bin", "lib", "debug", "src"])
    mkdirSync(join(folder, name), { recursive: true });
  for (const name of ["app.c", "greet.c"])
    copyFileSync(join(SOURCES, name), join(folder, "src", name));
  const library = join(folder, "lib/libgreet.so.1.2.3");
  const program = join(folder, "bin/app");
  const common = ["-g", "-O0", `-DVARIANT=${variant}`, "-Wl,--build-id=sha1"];
  const soname = "libgreet.so.1";
  await runTool([
    "cc",
    ...common,
    "-shared",
    "-fPIC",
    `-Wl,-soname,${soname}`,
    "-o",
    library,
    join(folder, "src/greet.c"),
  ]);
  await runTool(["ln", "-sf", "libgreet.so.1.2.3", join(folder, "lib", soname)]);
  await runTool([
    "cc",
    ...common,
    "-o",
    program,
    join(folder, "src/app.c"),
    library,
    "-Wl,-rpath,$ORIGIN/../lib",
  ]);
  const debugFiles: string[] = [];
  for (const file of splits ? [program, library] : []) {
    const debug = join(folder, "debug", `${file.slice(file.lastIndexOf("/") + 1)}.debug`);
    await runTool(["objcopy", "--only-keep-debug", file, debug]);
    await runTool(["strip", "--strip-unneeded", file]);
    debugFiles.push(debug);
  }
  return { program, library, debugFiles };
}
