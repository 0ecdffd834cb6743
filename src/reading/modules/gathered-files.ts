// The port of src/explain over modules that were gathered (module-gathering.ts): the very files, wherever they came from,
// and their debug information.
import { openFileBytes, type FileBytes } from "../../host/file-bytes.ts";
import type { LocalModules } from "../../host/local-modules.ts";
import type { FoundModule } from "../../model/module-files.ts";
import type { GatheredModules } from "./module-gathering.ts";

/** Opens each file when it is asked for and keeps it open until close. */
export function openGatheredFiles({ files, debugFiles }: GatheredModules): LocalModules {
  const opened: FileBytes[] = [];
  const open = (path: string): FileBytes => {
    const bytes = openFileBytes(path);
    opened.push(bytes);
    return bytes;
  };
  return {
    find({ start }): FoundModule[] {
      const found = files.find(({ wanted }) => wanted.start === start);
      if (found?.path !== undefined) return [{ bytes: open(found.path) }];
      return [{ missing: found?.line ?? "its file is not to be had" }];
    },
    findSymbols(buildId) {
      const path = debugFiles.get(buildId);
      return path === undefined ? undefined : open(path);
    },
    close() {
      for (const file of opened) file.close();
    },
  };
}
