// Finds the files that a crashed process had mapped on this machine: at the same path below a folder, by name in a
// folder, or at their own paths. Finds symbols by build-id where distributions put them.
import { basename, join } from "node:path";
import { errnoOf } from "../model/app-error.ts";
import type { FoundModule, ModuleFiles, WantedModule } from "../model/module-files.ts";
import type { RandomBytes } from "../model/random-bytes.ts";
import { openFileBytes, type FileBytes } from "./file-bytes.ts";

/** Where to look. */
export interface ModulePlaces {
  /**
   * A root folder: the process's /usr/lib/libc.so.6 is at sysroot/usr/lib/libc.so.6. With it, the files' own paths are
   * not tried.
   */
  sysroot?: string | undefined;
  /** A folder that holds the files by name, or by build-id: buildid/HEX/executable, HEX, HEX.debug. */
  modules?: string | undefined;
}

/** The files found, which the caller closes. */
export interface LocalModules extends ModuleFiles {
  close(): void;
}

const DEBUG_FOLDER = "usr/lib/debug/.build-id";

/** Opens each file when it is asked for and keeps it open until close. */
export function openLocalModules({ sysroot, modules }: ModulePlaces): LocalModules {
  const opened: FileBytes[] = [];
  const open = (path: string): FoundModule => {
    try {
      const bytes = openFileBytes(path);
      opened.push(bytes);
      return { bytes };
    } catch (error) {
      const errno = errnoOf(error);
      return {
        missing:
          errno === "ENOENT"
            ? "its file is not here"
            : `its file cannot be read: ${errno ?? "no regular file"}`,
      };
    }
  };
  const symbols = (buildId: string): RandomBytes | undefined => {
    if (!isBuildId(buildId)) return undefined;
    const name = join(DEBUG_FOLDER, buildId.slice(0, 2), `${buildId.slice(2)}.debug`);
    const places = [
      join(sysroot ?? "/", name),
      ...(modules === undefined ? [] : [join(modules, `${buildId}.debug`)]),
    ];
    for (const place of places) {
      const found = open(place);
      if ("bytes" in found) return found.bytes;
    }
    return undefined;
  };
  return {
    *find(wanted) {
      for (const path of placesOf(wanted, sysroot, modules)) yield open(path);
    },
    findSymbols: symbols,
    close() {
      for (const file of opened) file.close();
    },
  };
}

/** Returns the paths to try. The crashed process chose `path`, so ".." in it cannot lead out of the folder. */
function placesOf(
  { path, buildId }: WantedModule,
  sysroot: string | undefined,
  modules: string | undefined,
): string[] {
  const inside = join("/", path.replace(/ \(deleted\)$/u, ""));
  const places: string[] = [];
  if (modules !== undefined) {
    if (buildId !== null && isBuildId(buildId))
      places.push(join(modules, "buildid", buildId, "executable"), join(modules, buildId));
    places.push(join(modules, basename(inside)));
  }
  if (sysroot !== undefined) places.push(join(sysroot, inside), join(sysroot, "usr", inside));
  else places.push(inside);
  return places;
}

function isBuildId(text: string): boolean {
  return /^[0-9a-f]{8,128}$/u.test(text);
}
