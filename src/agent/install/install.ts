// Puts the composer on the host and the kernel's settings in place, in an order that never leaves core_pattern
// pointing at something incomplete. After an error it undoes what a first install changed.
import { join } from "node:path";
import type { CaptureMode } from "../../model/capture-mode.ts";
import { INSTALL_LOCK } from "../../model/host-file.ts";
import { CORE_PATTERN } from "../../model/sysctls.ts";
import { VERSION } from "../../model/version.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { removeEmptyDirectory } from "../../host/directories.ts";
import { removeFile, removeTemporaries } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { LISTENER, type ListenerControl } from "./listener-control.ts";
import { clearOtherModes, requireListener } from "./mode-change.ts";
import { restoreSendBuffer, setsSendBuffer } from "./send-buffer.ts";
import { findCrictlToDeploy, firstVariant, planComposer, type Variant } from "./executables.ts";
import { findAncestorFiles } from "./ancestor-files.ts";
import { checkHostDirectory } from "./host-directory.ts";
import {
  installDirectories,
  installFiles,
  isProgramFile,
  makeFolders,
  planFiles,
  type HostPrograms,
} from "./install-files.ts";
import {
  readInstallRecord,
  RECORD_NAME,
  writeInstallRecord,
  type InstallRecord,
} from "./install-record.ts";
import { withInstallLock } from "./install-lock.ts";
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
export async function install(context: InstallContext): Promise<void> {
  const { settings, executable, mode = "pipe", log } = context;
  const { HOST_DIR, PROC_ROOT } = settings;
  await readSysctls(PROC_ROOT, planSysctls(mode, settings));
  await checkHostDirectory(HOST_DIR, mode === "pipe");
  const variant = context.variant ?? (await firstVariant(executable, settings));
  // Listener and agent start composers from their own executable, so the host needs no program in these modes.
  const composer = mode === "pipe" ? await planComposer(executable, variant, HOST_DIR) : undefined;
  // Looks for what the image may lack before anything is written.
  const programs = { composer, crictl: await findCrictlToDeploy(settings, executable, log) };
  const madeFolders: string[] = [];
  const isFirst = await withInstallLock(
    HOST_DIR,
    log,
    async () => installLocked({ ...context, mode }, programs, madeFolders),
    async () => void madeFolders.push(...(await makeFolders(HOST_DIR, 0o755))),
  );
  log.info("installed", {
    host_dir: HOST_DIR,
    version: VERSION,
    mode,
    ...(composer === undefined ? {} : { variant }),
    first: isFirst,
  });
}

/** Installs while this process holds the install's lock. Returns whether no earlier install was finished. */
async function installLocked(
  { settings, mode = "pipe", listener = LISTENER, log }: InstallContext,
  programs: HostPrograms,
  madeFolders: readonly string[],
): Promise<boolean> {
  const { HOST_DIR, PROC_ROOT } = settings;
  const wanted = planSysctls(mode, settings);
  const rollback = new Rollback();
  for (const folder of madeFolders)
    rollback.add(`directory ${folder}`, () => removeEmptyDirectory(folder));
  rollback.add("lock", () => removeFile(join(HOST_DIR, INSTALL_LOCK)));
  // A new folder holds no earlier install.
  let isFirst = madeFolders.length > 0;
  try {
    const found = await readSysctls(PROC_ROOT, wanted);
    const before = await readInstallRecord(HOST_DIR, log);
    isFirst = before?.finished !== true;
    const previous = await findPreviousPattern(HOST_DIR, found.get(CORE_PATTERN.name) ?? "");
    const adapted = withPreviousHandler(settings, previous, log);
    await removeTemporaries(HOST_DIR, ABANDONED_AFTER_MS);
    const ancestors = before === undefined ? await findAncestorFiles(settings) : before.ancestors;
    const directories = await installDirectories(settings, programs.composer, rollback);
    const record: InstallRecord = {
      version: VERSION,
      finished: false,
      sysctls: {
        ...before?.sysctls,
        ...Object.fromEntries(wanted.map(({ sysctl, value }) => [sysctl.name, value])),
      },
      files: union(before?.files, planFiles(settings, programs)),
      ...(ancestors === undefined || ancestors.length === 0 ? {} : { ancestors }),
      ...(before?.proven === undefined ? {} : { proven: before.proven }),
      ...(before?.capture === undefined ? {} : { capture: before.capture }),
      directories: union(before?.directories, [...madeFolders, ...directories]),
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
  return isFirst;
}

function union(earlier: readonly string[] | undefined, now: readonly string[]): string[] {
  return [...new Set([...(earlier ?? []), ...now])];
}
