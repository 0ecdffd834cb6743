// How much of a core may be on its way in the kernel's side of the coredump socket (SOCKET_SEND_BUFFER). The kernel
// gives every new socket net.core.wmem_default and lets only its owner ask for more; the owner of this one is the
// kernel. A small one makes the crashed process wait (docs/performance.md).
import { join } from "node:path";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { exists, removeFile, writeFileAtomically } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { readBackup } from "../../host/original-pattern.ts";
import { readSysctl, writeSysctl } from "../../host/sysctl.ts";
import { describeError } from "../../model/app-error.ts";
import type { CaptureMode } from "../../model/capture-mode.ts";
import { SOCKET_BUFFER } from "../../model/sysctls.ts";
import type { Rollback } from "../rollback.ts";

export type SendBufferSettings = Pick<
  AgentSettings,
  "HOST_DIR" | "PROC_ROOT" | "SOCKET_SEND_BUFFER"
>;

/** What the install record says that we wrote, by sysctl name. */
type Written = Readonly<Record<string, string>> | undefined;

/** What is to be recorded: the value by the sysctl's name, or nothing where it is left alone. */
export function planSendBuffer(
  mode: CaptureMode,
  { SOCKET_SEND_BUFFER }: SendBufferSettings,
): Record<string, string> {
  if (mode !== "socket" || SOCKET_SEND_BUFFER === 0) return {};
  return { [SOCKET_BUFFER.name]: String(SOCKET_SEND_BUFFER) };
}

/**
 * Sets what is planned, the original kept; without a plan gives back what an earlier install set. Throws AppError
 * "sysctl" where it cannot be set.
 */
export async function installSendBuffer(
  plan: Readonly<Record<string, string>>,
  settings: SendBufferSettings,
  before: Written,
  rollback: Rollback,
  log: Log,
): Promise<void> {
  const { HOST_DIR, PROC_ROOT } = settings;
  const value = plan[SOCKET_BUFFER.name];
  if (value === undefined) return restoreSendBuffer(settings, before, log);
  const found = await readSysctl(PROC_ROOT, SOCKET_BUFFER);
  const backup = join(HOST_DIR, SOCKET_BUFFER.backup);
  if (!(await exists(backup))) {
    await writeFileAtomically(backup, `${found}\n`);
    rollback.add(backup, () => removeFile(backup));
  }
  if (found !== value) {
    rollback.add(SOCKET_BUFFER.name, () => writeSysctl(PROC_ROOT, SOCKET_BUFFER, found));
    await writeSysctl(PROC_ROOT, SOCKET_BUFFER, value);
    log.info("sysctl_set", { name: SOCKET_BUFFER.name, value, before: found });
  }
}

/** As it was, unless it is no longer what we wrote. Never throws: whoever installs or removes goes on without it. */
export async function restoreSendBuffer(
  { HOST_DIR, PROC_ROOT, SOCKET_SEND_BUFFER }: SendBufferSettings,
  written: Written,
  log: Log,
): Promise<void> {
  const original = await readBackup(HOST_DIR, SOCKET_BUFFER);
  if (original === undefined) return;
  const ours = written?.[SOCKET_BUFFER.name] ?? String(SOCKET_SEND_BUFFER);
  const { name } = SOCKET_BUFFER;
  try {
    const found = await readSysctl(PROC_ROOT, SOCKET_BUFFER);
    if (found !== ours && found !== original)
      log.warn("sysctl_left", { name, value: found, original });
    if (found === ours && found !== original) {
      await writeSysctl(PROC_ROOT, SOCKET_BUFFER, original);
      log.info("sysctl_restored", { name, value: original });
    }
    await removeFile(join(HOST_DIR, SOCKET_BUFFER.backup));
  } catch (error) {
    // A pod without the mount for it, since the value was taken out of the chart's.
    log.warn("sysctl_left", { name, value: ours, original, error: describeError(error) });
  }
}
