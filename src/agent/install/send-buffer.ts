// How much of a core may be on its way in the kernel's side of the coredump socket (SOCKET_SEND_BUFFER). The kernel
// gives every new socket net.core.wmem_default and lets only its owner ask for more; the owner of this one is the
// kernel. A small one makes the crashed process wait (docs/performance.md).
import { join } from "node:path";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { removeFile } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { readBackup } from "../../host/original-pattern.ts";
import { readSysctl } from "../../host/sysctl.ts";
import { describeError } from "../../model/app-error.ts";
import type { CaptureMode } from "../../model/capture-mode.ts";
import { SOCKET_BUFFER } from "../../model/sysctls.ts";
import { restoreSysctl } from "./restore-sysctl.ts";

/** Else the setting is the node's own, and not even read. */
export function setsSendBuffer(
  mode: CaptureMode,
  { SOCKET_SEND_BUFFER }: Pick<AgentSettings, "SOCKET_SEND_BUFFER">,
): boolean {
  return mode === "socket" && SOCKET_SEND_BUFFER > 0;
}

/**
 * Gives back what an install has set, if one has: `written` are the values of its record, by sysctl name. Never
 * throws: whoever installs or removes goes on without it.
 */
export async function restoreSendBuffer(
  {
    HOST_DIR,
    PROC_ROOT,
    SOCKET_SEND_BUFFER,
  }: Pick<AgentSettings, "HOST_DIR" | "PROC_ROOT" | "SOCKET_SEND_BUFFER">,
  written: Readonly<Record<string, string>> | undefined,
  log: Log,
): Promise<void> {
  const sysctl = SOCKET_BUFFER;
  const original = await readBackup(HOST_DIR, sysctl);
  if (original === undefined) return;
  const ours = written?.[sysctl.name] ?? String(SOCKET_SEND_BUFFER);
  try {
    const found = await readSysctl(PROC_ROOT, sysctl);
    await restoreSysctl(PROC_ROOT, { sysctl, found, original, isOurs: found === ours }, log);
    await removeFile(join(HOST_DIR, sysctl.backup));
  } catch (error) {
    // A pod without the mount for it, since the value was taken out of the chart's.
    const fields = { name: sysctl.name, value: ours, original, error: describeError(error) };
    log.warn("sysctl_left", fields);
  }
}
