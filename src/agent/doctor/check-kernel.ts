// Checks the kernel's settings: the agent may write them, core_pattern hands cores to this program, and the limit of
// dumps at once is right.
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { READ_ONLY_HINT, readSysctl } from "../../host/sysctl.ts";
import { errnoOf } from "../../model/app-error.ts";
import { captureModeOf, isOurPattern, PATTERN_MAX_LENGTH } from "../../model/core-pattern.ts";
import { handlerName } from "../../model/core-handler.ts";
import {
  CORE_PATTERN,
  CORE_PIPE_LIMIT,
  SOCKET_BUFFER,
  SUID_DUMPABLE,
} from "../../model/sysctls.ts";
import { setsSendBuffer } from "../install/send-buffer.ts";
import { failed, ok, skipped, warning, type CheckContext, type CheckResult } from "./check.ts";
import { readInstalledCapture } from "./installed-capture.ts";

/** Opens each setting for writing and closes it, which changes nothing. */
export async function checkSysctlsWritable({ settings }: CheckContext): Promise<CheckResult> {
  const { mode } = await readInstalledCapture(settings);
  const asked = setsSendBuffer(mode, settings) ? [SOCKET_BUFFER] : [];
  for (const sysctl of [CORE_PATTERN, CORE_PIPE_LIMIT, SUID_DUMPABLE, ...asked]) {
    const path = join(settings.PROC_ROOT, "sys", sysctl.path);
    try {
      await (await open(path, constants.O_WRONLY)).close();
    } catch (error) {
      return failed(
        `${path} cannot be written to (${errnoOf(error) ?? String(error)})`,
        errnoOf(error) === "EROFS" ? READ_ONLY_HINT : "run as root of the host",
      );
    }
  }
  return ok(`writable below ${join(settings.PROC_ROOT, "sys")}`);
}

/** Checks core_pattern. */
export async function checkPattern({ settings }: CheckContext): Promise<CheckResult> {
  const { HOST_DIR, PROC_ROOT } = settings;
  const found = await readSysctl(PROC_ROOT, CORE_PATTERN);
  return judgePattern(found, (await readInstalledCapture(settings)).pattern, HOST_DIR);
}

/** What this program's pattern does, by mode. */
const DOES = {
  pipe: (_pattern: string, hostDir: string) => `starts ${hostDir}/cdc`,
  socket: (pattern: string) => `connects to ${pattern.replace(/^@+/, "")}`,
  file: (pattern: string) => `writes ${pattern} in the crashing process's own root`,
};

/** Compares the pattern that was found with the wanted one. */
export function judgePattern(found: string, wanted: string, hostDir: string): CheckResult {
  const evidence = `kernel.core_pattern = ${found}`;
  const mode = captureModeOf(found, hostDir);
  if (found === wanted && mode !== undefined)
    return ok(`${DOES[mode](found, hostDir)}, ${found.length} of ${PATTERN_MAX_LENGTH} characters`);
  if (wanted.startsWith(found) && found.length >= PATTERN_MAX_LENGTH)
    return failed("the kernel has cut core_pattern short", "choose a shorter HOST_DIR", evidence);
  if (isOurPattern(found, hostDir))
    return failed(
      mode === captureModeOf(wanted, hostDir)
        ? "core_pattern starts our composer with other arguments than this version uses"
        : `core_pattern is our own for another CAPTURE_MODE (${mode})`,
      "restart the agent, or run core-dump-handler install again",
      evidence,
    );
  return failed(
    `core_pattern belongs to ${handlerName(found)}: crashes do not reach our composer`,
    "start the agent, or run core-dump-handler install; keep the other tool from setting it (sysctl.d, apport, systemd-coredump)",
    evidence,
  );
}

/** Checks core_pipe_limit. */
export async function checkPipeLimit({ settings }: CheckContext): Promise<CheckResult> {
  const limit = Number(await readSysctl(settings.PROC_ROOT, CORE_PIPE_LIMIT));
  const { mode } = await readInstalledCapture(settings);
  if (mode === "file") return skipped("the kernel starts nothing: it writes files");
  if (mode === "socket" && limit === 0) return ok("the listener takes any number of dumps at once");
  if (limit === 0)
    return warning(
      "kernel.core_pipe_limit is 0: the kernel does not wait for the composer, so /proc of a small process may be gone",
      "CORE_PIPE_LIMIT is 128 by default: start the agent, or run install",
    );
  return ok(`${limit} dumps at once`);
}
