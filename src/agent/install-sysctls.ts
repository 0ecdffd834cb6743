// The kernel's three settings: planned, the originals kept (contract, section 4), then written.
import { join } from "node:path";
import { isOurPattern } from "../model/core-pattern.ts";
import { CORE_PATTERN, CORE_PIPE_LIMIT, SUID_DUMPABLE, type Sysctl } from "../model/sysctls.ts";
import type { AgentSettings } from "../config/agent-settings.ts";
import { exists, removeFile, writeFileAtomically } from "../host/files.ts";
import type { Log } from "../host/log.ts";
import { readSysctl, writeSysctl } from "../host/sysctl.ts";
import type { Rollback } from "./rollback.ts";

export interface WantedSysctl {
  sysctl: Sysctl;
  value: string;
}

/** By sysctl name, as read before anything was changed. */
export type FoundSysctls = ReadonlyMap<string, string>;

/**
 * In the order of writing: the limit before the pattern, so that no crash runs without it; suid_dumpable
 * last, as the kernel warns when it is 2 without a pipe (fs/coredump.c, validate_coredump_safety).
 */
export function planSysctls(settings: AgentSettings, pattern: string): WantedSysctl[] {
  return [
    { sysctl: CORE_PIPE_LIMIT, value: String(settings.CORE_PIPE_LIMIT) },
    { sysctl: CORE_PATTERN, value: pattern },
    { sysctl: SUID_DUMPABLE, value: String(settings.SUID_DUMPABLE) },
  ];
}

export async function readSysctls(procRoot: string): Promise<FoundSysctls> {
  const found = new Map<string, string>();
  for (const sysctl of [CORE_PIPE_LIMIT, CORE_PATTERN, SUID_DUMPABLE])
    found.set(sysctl.name, await readSysctl(procRoot, sysctl));
  return found;
}

/** Backs up, then writes what differs. Throws AppError "sysctl". */
export async function installSysctls(context: {
  hostDir: string;
  procRoot: string;
  wanted: readonly WantedSysctl[];
  found: FoundSysctls;
  rollback: Rollback;
  log: Log;
}): Promise<void> {
  const { procRoot, wanted, found, rollback, log } = context;
  await backUp(context);
  for (const { sysctl, value } of wanted) {
    const before = found.get(sysctl.name) ?? "";
    if (before === value) continue;
    // Added first: a write that is cut short by the kernel has changed it all the same.
    rollback.add(sysctl.name, () => writeSysctl(procRoot, sysctl, before));
    await writeSysctl(procRoot, sysctl, value);
    log.info("sysctl_set", { name: sysctl.name, value, before });
  }
}

/**
 * The first backup stays. While core_pattern is ours already, none of the three can be an original: what
 * an earlier start failed to keep is lost, and `remove` falls back to the kernel's defaults.
 */
async function backUp({
  hostDir,
  found,
  rollback,
}: {
  hostDir: string;
  found: FoundSysctls;
  rollback: Rollback;
}): Promise<void> {
  if (isOurPattern(found.get(CORE_PATTERN.name) ?? "", hostDir)) return;
  for (const sysctl of [CORE_PATTERN, CORE_PIPE_LIMIT, SUID_DUMPABLE]) {
    const backup = join(hostDir, sysctl.backup);
    if (await exists(backup)) continue;
    await writeFileAtomically(backup, `${found.get(sysctl.name) ?? ""}\n`);
    rollback.add(backup, () => removeFile(backup));
  }
}
