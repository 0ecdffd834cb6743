// Sets how much of a core the kernel's side of the coredump socket may hold (SOCKET_SEND_BUFFER). Every new socket
// gets net.core.wmem_default, and only its owner can ask for more; the owner of this one is the kernel. A small buffer
// makes the crashed process wait (docs/performance.md).
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

/** Returns whether the install sets the buffer. Where it does not, the agent does not even read the node's value. */
export function setsSendBuffer(
  mode: CaptureMode,
  { SOCKET_SEND_BUFFER }: Pick<AgentSettings, "SOCKET_SEND_BUFFER">,
): boolean {
  return mode === "socket" && SOCKET_SEND_BUFFER > 0;
}

/**
 * Restores the buffer where an install has set it; `written` are the values of its record, by sysctl name. Logs a
 * failure and never throws, because install and removal can continue.
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
    // The pod may lack the mount, because the chart's value was removed.
    const fields = { name: sysctl.name, value: ours, original, error: describeError(error) };
    log.warn("sysctl_left", fields);
  }
}
