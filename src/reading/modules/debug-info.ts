// Separate debug information of modules, which build pipelines put into the store (`modules add`) and distributions on
// debuginfod servers: by build-id alone, as no process ever maps it.
import { unlink } from "node:fs/promises";
import { ElfFile } from "../../explain/elf-file.ts";
import { Malformed } from "../../explain/malformed.ts";
import { openFileBytes } from "../../host/file-bytes.ts";
import { isModuleId } from "../../model/module-id.ts";
import type { ModuleCache } from "./module-cache.ts";
import type { RemotePlace } from "./remote-modules.ts";

/** Finds the debug information of a build, and fetches it into the cache; undefined where there is none. */
export async function findDebugInfo(
  buildId: string,
  cache: ModuleCache,
  remotes: readonly RemotePlace[],
): Promise<string | undefined> {
  if (!isModuleId(buildId)) return undefined;
  const isRight = (path: string) => buildIdIn(path) === buildId;
  for (const path of await cache.find(buildId, "debuginfo")) if (isRight(path)) return path;
  for (const place of remotes)
    for await (const { bytes } of place.find(buildId, "debuginfo", null)) {
      const path = await cache.keep(buildId, "debuginfo", bytes).catch(() => undefined);
      if (path === undefined) continue;
      if (isRight(path)) return path;
      await unlink(path).catch(() => undefined);
    }
  return undefined;
}

function buildIdIn(path: string): string | null {
  const bytes = openFileBytes(path);
  try {
    return new ElfFile(bytes, true).buildId;
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return null;
  } finally {
    bytes.close();
  }
}
