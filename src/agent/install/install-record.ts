// HOST_DIR/install.json lists what an install put on this host, so that `remove` takes away exactly that, even after
// the settings have changed. It does not exist where only the ancestor, or no program, has installed.
import { join } from "node:path";
import * as v from "valibot";
import { describeError } from "../../model/app-error.ts";
import { readTextFile, writeFileAtomically } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { CAPTURE_MODES } from "../../model/capture-mode.ts";

/** The record's name in HOST_DIR. */
export const RECORD_NAME = "install.json";

const recordSchema = v.object({
  version: v.string(),
  /** False while an install is under way, so that one that was killed does not count as an install. */
  finished: v.boolean(),
  /** The written values, by sysctl name. A different value today comes from another program. */
  sysctls: v.record(v.string(), v.string()),
  /** Names in HOST_DIR. */
  files: v.array(v.string()),
  /** Names in HOST_DIR that the ancestor's agent left, for the removal alone (ancestor-files.ts). */
  ancestors: v.optional(v.array(v.string())),
  /** The variant that a canary has proven on this host (capture/pipe-variant.ts). */
  proven: v.optional(v.string()),
  /** The capture mode, and why it was chosen (capture/choice.ts). */
  capture: v.optional(
    v.object({
      mode: v.picklist(CAPTURE_MODES),
      because: v.string(),
      /** Why the other modes were not taken; empty where none was tried. */
      tried: v.string(),
      /** Whether a canary has proven the mode. */
      proven: v.boolean(),
      /** The kernel's boot id, because the host may be different after a reboot. */
      boot: v.string(),
    }),
  ),
  /** Directories that did not exist before, parents first. */
  directories: v.array(v.string()),
});

/** The record's content. */
export type InstallRecord = v.InferOutput<typeof recordSchema>;
/** What the record tells about the capture mode. */
export type CaptureNote = NonNullable<InstallRecord["capture"]>;

/** Reads the record; undefined when there is none that can be parsed. The .bak files still restore the host then. */
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

/** Writes the record. Throws AppError "host". */
export async function writeInstallRecord(hostDir: string, record: InstallRecord): Promise<void> {
  await writeFileAtomically(join(hostDir, RECORD_NAME), `${JSON.stringify(record, null, 2)}\n`);
}
