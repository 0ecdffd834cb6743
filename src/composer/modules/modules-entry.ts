// The modules' place in the dump: their entry, and what dump-info repeats of it.
import { MODULES_SUFFIX, type DumpEntry } from "../../model/dump-entries.ts";
import type { DumpInfo } from "../../model/dump-info.ts";
import { isModuleId } from "../../model/module-id.ts";
import { moduleList, type ListedModule } from "../../model/module-list.ts";
import { printableJson } from "../../model/printable.ts";
import type { Explained } from "../summary/explainer-process.ts";

/** Returns the dump-info with the modules' ids; where none were listed, with the build-ids that the summary has. */
export function withModules(
  info: DumpInfo,
  summary: Explained | undefined,
  listed: readonly ListedModule[] | undefined,
): DumpInfo {
  const ids =
    listed !== undefined && listed.length > 0
      ? listed.flatMap(({ id }) => id ?? [])
      : summary?.buildIds.filter(isModuleId);
  if (ids === undefined) return info;
  const modules = [...new Set(ids)];
  return { ...info, modules, module_count: modules.length };
}

/** Behind all others. */
export function withModulesEntry(
  entries: readonly DumpEntry[],
  listed: readonly ListedModule[] | undefined,
): readonly DumpEntry[] {
  if (listed === undefined || listed.length === 0) return entries;
  const data = new TextEncoder().encode(`${printableJson(moduleList(listed), 2)}\n`);
  return [...entries, { suffix: MODULES_SUFFIX, data }];
}
