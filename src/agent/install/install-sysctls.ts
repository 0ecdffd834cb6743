// Plans the kernel's settings, keeps the originals (docs/contract.md, section 4), and writes them.
import { join } from "node:path";
import type { CaptureMode } from "../../model/capture-mode.ts";
import { FILE_PATTERN } from "../../model/core-file-pattern.ts";
import { isOurPattern, planCorePattern, planSocketPattern } from "../../model/core-pattern.ts";
import {
  CORE_PATTERN,
  CORE_PIPE_LIMIT,
  SOCKET_BUFFER,
  SUID_DUMPABLE,
  type Sysctl,
} from "../../model/sysctls.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { errnoOf } from "../../model/app-error.ts";
import { exists, removeFile, writeFileAtomically } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { readSysctl, writeSysctl } from "../../host/sysctl.ts";
import { setsSendBuffer } from "./send-buffer.ts";
import type { Rollback } from "./rollback.ts";

/** A setting and the value that it should have. */
export interface WantedSysctl {
  sysctl: Sysctl;
  value: string;
  /** The value for a kernel that refuses the first one (EINVAL). */
  instead?: string;
}

/** The values by sysctl name, as they were before the install changed any. */
export type FoundSysctls = ReadonlyMap<string, string>;

/**
 * Plans the settings in the order of writing: limit and buffer before the pattern, so that they hold for every crash;
 * suid_dumpable last, because the kernel warns when it is 2 without a pipe (fs/coredump.c, validate_coredump_safety).
 * Throws AppError "configuration" where HOST_DIR does not suit the mode.
 */
export function planSysctls(mode: CaptureMode, settings: AgentSettings): WantedSysctl[] {
  const sendBuffer = { sysctl: SOCKET_BUFFER, value: String(settings.SOCKET_SEND_BUFFER) };
  return [
    ...(setsSendBuffer(mode, settings) ? [sendBuffer] : []),
    { sysctl: CORE_PIPE_LIMIT, value: String(settings.CORE_PIPE_LIMIT) },
    { sysctl: CORE_PATTERN, ...planPattern(mode, settings) },
    { sysctl: SUID_DUMPABLE, value: String(settings.SUID_DUMPABLE) },
  ];
}

/** Returns the core_pattern of a mode. Throws AppError "configuration" where HOST_DIR does not suit it. */
export function planPattern(
  mode: CaptureMode,
  { HOST_DIR, CORE_DIR }: Pick<AgentSettings, "HOST_DIR" | "CORE_DIR">,
): Omit<WantedSysctl, "sysctl"> {
  switch (mode) {
    case "pipe":
      return { value: planCorePattern(HOST_DIR, CORE_DIR) };
    case "socket":
      // Linux 6.16 has the socket; the question before the core came with 6.17.
      return {
        value: planSocketPattern(HOST_DIR, true),
        instead: planSocketPattern(HOST_DIR, false),
      };
    case "file":
      return { value: FILE_PATTERN };
  }
}

/** Throws AppError "sysctl". */
/** Reads the present values of the wanted settings. */
export async function readSysctls(
  procRoot: string,
  wanted: readonly WantedSysctl[],
): Promise<FoundSysctls> {
  const found = new Map<string, string>();
  for (const { sysctl } of wanted) found.set(sysctl.name, await readSysctl(procRoot, sysctl));
  return found;
}

/**
 * Backs up, then writes the values that differ. Returns the values that the kernel has now, by sysctl name. Throws
 * AppError "sysctl".
 */
export async function installSysctls(context: {
  hostDir: string;
  procRoot: string;
  wanted: readonly WantedSysctl[];
  found: FoundSysctls;
  rollback: Rollback;
  log: Log;
}): Promise<Record<string, string>> {
  const { procRoot, wanted, found, rollback, log } = context;
  const written: Record<string, string> = {};
  await backUp(context);
  for (const { sysctl, value, instead } of wanted) {
    const before = found.get(sysctl.name) ?? "";
    written[sysctl.name] = value;
    if (before === value) continue;
    // Adds the undo first, because a value that the kernel cut has changed the setting too.
    rollback.add(sysctl.name, () => writeSysctl(procRoot, sysctl, before));
    written[sysctl.name] = await writeEither(procRoot, sysctl, [value, instead]);
    log.info("sysctl_set", { name: sysctl.name, value: written[sysctl.name] ?? "", before });
  }
  return written;
}

/** Writes the value or its substitute and returns the one that the kernel accepted. */
async function writeEither(
  procRoot: string,
  sysctl: Sysctl,
  [value, instead]: [string, string | undefined],
): Promise<string> {
  try {
    await writeSysctl(procRoot, sysctl, value);
    return value;
  } catch (error) {
    const isUnknown = error instanceof Error && errnoOf(error.cause) === "EINVAL";
    if (!isUnknown || instead === undefined) throw error;
    await writeSysctl(procRoot, sysctl, instead);
    return instead;
  }
}

/**
 * Backs a value up unless there is a backup. While core_pattern is this program's already, the three settings cannot be
 * originals: an original that an earlier start failed to keep is lost, and `remove` uses the kernel's default. The send
 * buffer is different, because the owner may set it later.
 */
async function backUp({
  hostDir,
  wanted,
  found,
  rollback,
}: {
  hostDir: string;
  wanted: readonly WantedSysctl[];
  found: FoundSysctls;
  rollback: Rollback;
}): Promise<void> {
  const patternIsOurs = isOurPattern(found.get(CORE_PATTERN.name) ?? "", hostDir);
  for (const { sysctl } of wanted) {
    if (patternIsOurs && sysctl !== SOCKET_BUFFER) continue;
    const backup = join(hostDir, sysctl.backup);
    if (await exists(backup)) continue;
    // Without a newline, as the ancestor's agent reads it, and scripts of its time.
    await writeFileAtomically(backup, found.get(sysctl.name) ?? "");
    rollback.add(backup, () => removeFile(backup));
  }
}
