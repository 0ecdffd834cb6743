// Changes from one capture mode to another: provides what the new one needs beside files and sysctls, and removes what
// the old one left on the host.
import { join } from "node:path";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { removeEmptyDirectory } from "../../host/directories.ts";
import { removeFile } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { AppError } from "../../model/app-error.ts";
import type { CaptureMode } from "../../model/capture-mode.ts";
import { SOCKET_NAME } from "../../model/core-pattern.ts";
import { HARVEST_STATE } from "../../model/host-file.ts";
import { isProgramFile } from "./install-files.ts";
import { waitForComposers } from "./living-composers.ts";
import type { Rollback } from "./rollback.ts";
import { LIBRARY_FOLDER } from "./self-contained.ts";
import type { ListenerControl } from "./listener-control.ts";

/**
 * How long to wait for composers that the kernel started by the old core_pattern, in ms, because they need their files.
 */
const COMPOSERS_MAX_MS = 10_000;

/** Throws AppError "host" where no listener answers, because the kernel would lose every crash. */
export async function requireListener(
  settings: AgentSettings,
  listener: ListenerControl,
  rollback: Rollback,
  log: Log,
): Promise<void> {
  const { HOST_DIR, POD_NAME } = settings;
  if (POD_NAME === "") rollback.add("listener", () => listener.stop(HOST_DIR, log));
  if (await listener.ensure(settings, log)) return;
  throw new AppError("host", `no listener answers on ${join(HOST_DIR, SOCKET_NAME)}`, {
    hint: "in a pod it is a container of its own (daemonset.captureMode=socket or daemonset.captureFallback=true); its log says more",
  });
}

/**
 * Removes what other modes left; the caller has set core_pattern for the new mode. `files` are the previous install's
 * names in HOST_DIR.
 */
export async function clearOtherModes(
  mode: CaptureMode,
  { HOST_DIR, CORE_DIR, POD_NAME }: Pick<AgentSettings, "HOST_DIR" | "CORE_DIR" | "POD_NAME">,
  files: readonly string[],
  listener: ListenerControl,
  log: Log,
): Promise<void> {
  const programs = mode === "pipe" ? [] : files.filter(isProgramFile);
  if (programs.length > 0) await waitForComposers(CORE_DIR, COMPOSERS_MAX_MS);
  for (const name of programs)
    if (await removeFile(join(HOST_DIR, name))) log.info("file_removed", { name });
  if (programs.length > 0) await removeEmptyDirectory(join(HOST_DIR, LIBRARY_FOLDER));
  // Containers that crash from now on leave no core file, so file capture must not report them as missing if it comes
  // back.
  if (mode !== "file") await removeFile(join(HOST_DIR, HARVEST_STATE));
  if (mode === "socket") return;
  // In a pod the listener is another container, which hostPID shows. The kubelet would start it again after every
  // stop.
  if (POD_NAME === "") await listener.stop(HOST_DIR, log);
  // A listener that still runs is a container's, and it would make its socket again after every removal.
  if ((await listener.state(HOST_DIR)) !== "absent") return;
  if (await removeFile(join(HOST_DIR, SOCKET_NAME)))
    log.info("file_removed", { name: SOCKET_NAME });
}
