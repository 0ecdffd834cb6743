// Undoes an install: restores the kernel's settings first, so that the kernel no longer starts the composer, and then
// removes the files in HOST_DIR. Undelivered dumps stay. Works in any state, any number of times.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { COMPOSER_NAME, isOurPattern, SOCKET_NAME } from "../../model/core-pattern.ts";
import {
  CORE_PATTERN,
  CORE_PIPE_LIMIT,
  SOCKET_BUFFER,
  SUID_DUMPABLE,
  type Sysctl,
} from "../../model/sysctls.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { removeEmptyDirectory } from "../../host/directories.ts";
import { removeFile, removeTemporaries } from "../../host/files.ts";
import { removeModules } from "../../host/kept-modules.ts";
import type { Log } from "../../host/log.ts";
import { DEFAULT_PATTERN, readBackup } from "../../host/original-pattern.ts";
import { readSysctl } from "../../host/sysctl.ts";
import { errnoOf } from "../../model/app-error.ts";
import { restoreSendBuffer } from "./send-buffer.ts";
import { LISTENER, type ListenerControl } from "./listener-control.ts";
import { removeOldCanaries } from "../canary/canary-crash.ts";
import { withInstallLock } from "./install-lock.ts";
import { otherOwner } from "./host-owner.ts";
import { readInstallRecord, RECORD_NAME, type InstallRecord } from "./install-record.ts";
import { waitForComposers } from "./living-composers.ts";
import { restoreSysctl } from "./restore-sysctl.ts";
import { HOST_STATE_FILES, INSTALL_LOCK } from "../../model/host-file.ts";

/** The kernel's defaults, for a host without the .bak file (fs/coredump.c, fs/exec.c). */
const KERNEL_DEFAULTS = new Map([
  [CORE_PATTERN.name, DEFAULT_PATTERN],
  [CORE_PIPE_LIMIT.name, "0"],
  [SUID_DUMPABLE.name, "0"],
]);

/**
 * How long to wait for composers, in ms. A preStop hook has half a minute in all; a longer dump ends later by itself.
 */
const COMPOSERS_MAX_MS = 10_000;

/** How long a composer takes from its start to its partial on a busy machine, in ms. */
const CANARY_MS = 1_000;

/** The settings that a removal uses. */
export type RemovalSettings = Pick<
  AgentSettings,
  | "HOST_DIR"
  | "CORE_DIR"
  | "EVENT_DIR"
  | "PROC_ROOT"
  | "CORE_PIPE_LIMIT"
  | "SUID_DUMPABLE"
  | "SOCKET_SEND_BUFFER"
  | "POD_NAMESPACE"
  | "DAEMONSET_NAME"
>;

/** Removes the install. Throws AppError "sysctl" or "host"; the steps before the error stay done. */
export async function remove(
  settings: RemovalSettings,
  log: Log,
  listener: ListenerControl = LISTENER,
): Promise<void> {
  const owner = await otherOwner(settings);
  if (owner !== undefined) {
    log.warn("not_ours_to_remove", { host_dir: settings.HOST_DIR, owner });
    return;
  }
  await withInstallLock(settings.HOST_DIR, log, async () => removeLocked(settings, log, listener));
}

/** Removes the install while this process holds the install's lock. */
async function removeLocked(
  settings: RemovalSettings,
  log: Log,
  listener: ListenerControl,
): Promise<void> {
  const { HOST_DIR, CORE_DIR, EVENT_DIR } = settings;
  const record = await readInstallRecord(HOST_DIR, log);
  // A start that was killed before its first file leaves a HOST_DIR without a record.
  await removeTemporaries(HOST_DIR, 0);
  const wasEmpty = record === undefined && (await countFiles(HOST_DIR, INSTALL_LOCK)) === 0;
  const wasInstalled =
    record !== undefined ||
    !wasEmpty ||
    isOurPattern(await readSysctl(settings.PROC_ROOT, CORE_PATTERN), HOST_DIR);
  await restoreSysctls(settings, record, log);
  await restoreSendBuffer(settings, record?.sysctls, log);
  // After a killed doctor the composer of its canary may still be starting.
  if ((await removeOldCanaries(HOST_DIR, CORE_DIR, 0)) > 0) await Bun.sleep(CANARY_MS);
  const living = await waitForComposers(CORE_DIR, COMPOSERS_MAX_MS);
  if (living > 0) log.warn("composers_at_work", { count: living });
  await listener.stop(HOST_DIR, log);
  for (const name of installedNames(record)) {
    if (await removeFile(join(HOST_DIR, name))) log.info("file_removed", { name });
  }
  await removeOldCanaries(HOST_DIR, CORE_DIR, 0);
  removeModules(CORE_DIR);
  const directories = record?.directories ?? [CORE_DIR, EVENT_DIR];
  const holdsHostDir = (directory: string) => `${HOST_DIR}/`.startsWith(`${directory}/`);
  for (const directory of directories.filter((each) => !holdsHostDir(each)).toReversed())
    await removeEmptyDirectory(directory);
  // Removes the lock's file last: from then on another process may install.
  await removeFile(join(HOST_DIR, INSTALL_LOCK));
  if (wasEmpty) await removeEmptyDirectory(HOST_DIR);
  for (const directory of directories.filter(holdsHostDir).toReversed())
    await removeEmptyDirectory(directory);
  const found = wasInstalled ? {} : { found: "nothing was installed" };
  log.info("removed", { ...found, host_dir: HOST_DIR, files_left: await countFiles(CORE_DIR) });
}

/** Restores each of the three settings, the pattern first, unless it no longer has the value that the install wrote. */
async function restoreSysctls(
  settings: RemovalSettings,
  record: InstallRecord | undefined,
  log: Log,
): Promise<void> {
  const { HOST_DIR, PROC_ROOT } = settings;
  const patternIsOurs = isOurPattern(await readSysctl(PROC_ROOT, CORE_PATTERN), HOST_DIR);
  const ours: Record<string, string> = {
    [CORE_PIPE_LIMIT.name]: String(settings.CORE_PIPE_LIMIT),
    [SUID_DUMPABLE.name]: String(settings.SUID_DUMPABLE),
    ...record?.sysctls,
  };
  for (const sysctl of [SUID_DUMPABLE, CORE_PATTERN, CORE_PIPE_LIMIT]) {
    const found = await readSysctl(PROC_ROOT, sysctl);
    const isOurs = sysctl === CORE_PATTERN ? patternIsOurs : found === ours[sysctl.name];
    const original = await originalOf(HOST_DIR, sysctl, patternIsOurs);
    if (original === undefined) continue;
    await restoreSysctl(PROC_ROOT, { sysctl, found, original, isOurs }, log);
  }
}

/**
 * Returns the original value: the backup or, while core_pattern is this program's, the kernel's default where the
 * backup is missing or holds this program's own pattern. undefined where nothing shows that an install changed the
 * setting.
 */
async function originalOf(
  hostDir: string,
  sysctl: Sysctl,
  patternIsOurs: boolean,
): Promise<string | undefined> {
  const fallback = patternIsOurs ? KERNEL_DEFAULTS.get(sysctl.name) : undefined;
  return (await readBackup(hostDir, sysctl)) ?? fallback;
}

/** Lists the installed names, backups and record last, so that an interrupted removal can be repeated. */
function installedNames(record: InstallRecord | undefined): string[] {
  const files = record?.files ?? [COMPOSER_NAME, ".env"];
  const backups = [CORE_PATTERN, CORE_PIPE_LIMIT, SUID_DUMPABLE, SOCKET_BUFFER].map(
    ({ backup }) => backup,
  );
  return [
    ...files,
    ...(record?.ancestors ?? []),
    SOCKET_NAME,
    ...HOST_STATE_FILES,
    ...backups,
    RECORD_NAME,
  ];
}

async function countFiles(directory: string, besides?: string): Promise<number> {
  try {
    return (await readdir(directory)).filter((name) => name !== besides).length;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return 0;
    throw error;
  }
}
