// The dump that a person means: a file, a key in the store, or the newest in the store of a namespace or a bug.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { readSettings } from "../config/setting.ts";
import { readAgentSettings } from "../config/agent-settings.ts";
import { STORE_SETTINGS } from "../config/store-settings.ts";
import { exists } from "../host/files.ts";
import type { ProcessEnvironment } from "../host/process-environment.ts";
import { AppError } from "../model/app-error.ts";
import { portableFileName } from "../model/portable-name.ts";
import { oneLine } from "../model/printable.ts";
import { namesStore, openStoreReader } from "../store/open-store.ts";
import { fetchDump } from "./fetch.ts";
import { listDumps } from "./list.ts";

/** What names a dump: a file or key, or the newest that fits. */
export interface DumpName {
  file: string | undefined;
  /** "" for any. */
  namespace: string;
  /** The bug's id; "" for any. */
  bug: string;
}

/** Runs `use` with the path of the dump, which is fetched into a temporary folder where it is in the store. */
export async function withNamedDump<T>(
  { file, namespace, bug }: DumpName,
  environment: ProcessEnvironment,
  use: (path: string) => Promise<T>,
): Promise<T> {
  if (file !== undefined) {
    const { values } = readSettings(STORE_SETTINGS, environment);
    // Without a store the message is about the file.
    if ((await exists(file)) || !namesStore(values)) return use(file);
  }
  const settings = readAgentSettings(environment);
  const dumps = await openStoreReader(settings);
  const folder = await mkdtemp(join(tmpdir(), "core-dump-handler-"));
  try {
    let key = file;
    if (key === undefined) {
      const any = { prefix: "", sinceMs: 0, namespace };
      const listed = await listDumps(dumps, any, settings.STORE_INDEX_PREFIX);
      key = listed.findLast((dump) => bug === "" || dump.bug === bug)?.key;
      const what = [
        namespace === "" ? "" : ` of namespace ${namespace}`,
        bug === "" ? "" : ` of bug ${bug}`,
      ];
      if (key === undefined)
        throw new AppError("store", `${dumps.name} has no dump${what.join("")}`);
      process.stderr.write(`core-dump-handler: ${oneLine(`the newest is ${key}`)}\n`);
    }
    const path = join(folder, portableFileName(basename(key)));
    await fetchDump(dumps, key, path, false);
    return await use(path);
  } finally {
    dumps.close();
    await rm(folder, { recursive: true, force: true });
  }
}
