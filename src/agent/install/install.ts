// Puts the composer on the host and the kernel's settings in place, in an order that never leaves core_pattern
// pointing at something incomplete. After an error it undoes what a first install changed.
import { join } from "node:path";
import type { CaptureMode } from "../../model/capture-mode.ts";
import { CORE_PATTERN } from "../../model/sysctls.ts";
import { VERSION } from "../../model/version.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { removeFile, removeTemporaries } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { LISTENER, type ListenerControl } from "./listener-control.ts";
import { clearOtherModes, requireListener } from "./mode-change.ts";
import { restoreSendBuffer, setsSendBuffer } from "./send-buffer.ts";
import { findCrictlToDeploy, firstVariant, planComposer, type Variant } from "./executables.ts";
import { checkHostDirectory } from "./host-directory.ts";
import { installDirectories, installFiles, isProgramFile, planFiles } from "./install-files.ts";
import {
  readInstallRecord,
  RECORD_NAME,
  writeInstallRecord,
  type InstallRecord,
} from "./install-record.ts";
import { installSysctls, planSysctls, readSysctls } from "./install-sysctls.ts";
import { findPreviousPattern, withPreviousHandler } from "./previous-pattern.ts";
import { Rollback } from "./rollback.ts";

/** The age from which a temporary file belongs to a killed start, in ms. */
const ABANDONED_AFTER_MS = 60_000;

/** What an install needs. */
export interface InstallContext {
  settings: AgentSettings;
  /** This program's executable. */
  executable: string;
  /** The capture mode; a pipe by default. */
  mode?: CaptureMode;
  /** The variant that a pipe starts; the settings' first choice by default. */
  variant?: Variant;
  listener?: ListenerControl;
  log: Log;
}

/** Installs; can be run any number of times. Throws AppError "configuration", "host" or "sysctl". */
export async function install({
  settings,
  executable,
  mode = "pipe",
  variant,
  listener = LISTENER,
  log,
}: InstallContext): Promise<void> {
  const { HOST_DIR, PROC_ROOT } = settings;
  const wanted = planSysctls(mode, settings);
  const found = await readSysctls(PROC_ROOT, wanted);
  await checkHostDirectory(HOST_DIR, mode === "pipe");
  const chosen = variant ?? (await firstVariant(executable, settings));
  // Listener and agent start composers from their own executable, so the host needs no program in these modes.
  const composer = mode === "pipe" ? await planComposer(executable, chosen, HOST_DIR) : undefined;
  // Looks for what the image may lack before anything is written.
  const crictl = await findCrictlToDeploy(settings, executable, log);
  const programs = { composer, crictl };
  const before = await readInstallRecord(HOST_DIR, log);
  const isFirst = before?.finished !== true;
  const previous = await findPreviousPattern(HOST_DIR, found.get(CORE_PATTERN.name) ?? "");
  const adapted = withPreviousHandler(settings, previous, log);
  const rollback = new Rollback();
  try {
    await removeTemporaries(HOST_DIR, ABANDONED_AFTER_MS);
    const directories = await installDirectories(settings, composer, rollback);
    const record: InstallRecord = {
      version: VERSION,
      finished: false,
      sysctls: {
        ...before?.sysctls,
        ...Object.fromEntries(wanted.map(({ sysctl, value }) => [sysctl.name, value])),
      },
      files: union(before?.files, planFiles(settings, programs)),
      ...(before?.proven === undefined ? {} : { proven: before.proven }),
      ...(before?.capture === undefined ? {} : { capture: before.capture }),
      directories: union(before?.directories, directories),
    };
    if (isFirst) rollback.add("record", () => removeFile(join(HOST_DIR, RECORD_NAME)));
    // Writes the record before the first file, so that `remove` knows what to look for after an interruption.
    await writeInstallRecord(HOST_DIR, { ...record, finished: !isFirst });
    await installFiles(adapted, programs, rollback);
    if (mode === "socket") await requireListener(settings, listener, rollback, log);
    const context = { hostDir: HOST_DIR, procRoot: PROC_ROOT, wanted, found, rollback, log };
    if (!setsSendBuffer(mode, settings)) await restoreSendBuffer(settings, before?.sysctls, log);
    const sysctls = await installSysctls(context);
    await clearOtherModes(mode, settings, before?.files ?? [], listener, log);
    const files =
      mode === "pipe" ? record.files : record.files.filter((name) => !isProgramFile(name));
    await writeInstallRecord(HOST_DIR, { ...record, files, sysctls, finished: true });
  } catch (error) {
    // After an earlier install the host still works, and undoing that would lose cores.
    if (isFirst) await rollback.run(log);
    throw error;
  }
  log.info("installed", {
    host_dir: HOST_DIR,
    version: VERSION,
    mode,
    ...(composer === undefined ? {} : { variant: chosen }),
    first: isFirst,
  });
}

function union(earlier: readonly string[] | undefined, now: readonly string[]): string[] {
  return [...new Set([...(earlier ?? []), ...now])];
}
