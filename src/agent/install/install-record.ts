// HOST_DIR/install.json: what an install put on this host, so that `remove` takes away just that, even
// after the settings have changed. Absent where the ancestor (or nobody) installed.
import { join } from "node:path";
import * as v from "valibot";
import { describeError } from "../../model/app-error.ts";
import { readTextFile, writeFileAtomically } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { CAPTURE_MODES } from "../../model/capture-mode.ts";

export const RECORD_NAME = "install.json";

const recordSchema = v.object({
  version: v.string(),
  /** False while an install is under way: one that was killed half-way is no install. */
  finished: v.boolean(),
  /** Values that were written, by sysctl name: a value that differs today is someone else's. */
  sysctls: v.record(v.string(), v.string()),
  /** Names in HOST_DIR. */
  files: v.array(v.string()),
  /** The build that a canary has shown to run on this host (prove-variant.ts). */
  proven: v.optional(v.string()),
  /** How cores come, and why in this way (capture/choice.ts). */
  capture: v.optional(
    v.object({
      mode: v.picklist(CAPTURE_MODES),
      because: v.string(),
      /** Why the others were not taken; empty where none was tried. */
      tried: v.string(),
      /** Whether a canary has shown it. */
      proven: v.boolean(),
      /** The kernel's boot id: after a reboot the host may be another. */
      boot: v.string(),
    }),
  ),
  /** Directories that did not exist before, parents first. */
  directories: v.array(v.string()),
});

export type InstallRecord = v.InferOutput<typeof recordSchema>;
export type CaptureNote = NonNullable<InstallRecord["capture"]>;

/** undefined when there is none, or none that can be understood: the .bak files still restore the host. */
export async function readInstallRecord(
  hostDir: string,
  log: Log,
): Promise<InstallRecord | undefined> {
  const path = join(hostDir, RECORD_NAME);
  const text = await readTextFile(path);
  if (text === undefined) return undefined;
  try {
    return v.parse(recordSchema, JSON.parse(text));
  } catch (error) {
    log.warn("install_record_unreadable", { path, error: describeError(error) });
    return undefined;
  }
}

export async function writeInstallRecord(hostDir: string, record: InstallRecord): Promise<void> {
  await writeFileAtomically(join(hostDir, RECORD_NAME), `${JSON.stringify(record, null, 2)}\n`);
}
