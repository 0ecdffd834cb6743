// The proof: the canary crashes, a composer gets its core, and its zip appears with the right contents; in file mode,
// its core is in the place that core_pattern names. Where that fails, the finding names the broken link by how far the
// crash came.
import { basename, join } from "node:path";
import { readSysctl } from "../../host/sysctl.ts";
import { removeFile } from "../../host/files.ts";
import { describeError } from "../../model/app-error.ts";
import { handlerName } from "../../model/core-handler.ts";
import type { CaptureMode } from "../../model/capture-mode.ts";
import { captureModeOf, isOurPattern } from "../../model/core-pattern.ts";
import { CORE_PATTERN } from "../../model/sysctls.ts";
import { readCanaryFile, readCanaryZip, type CanaryZip } from "../canary/canary-proof.ts";
import { removeOldCanaries, runCanary, type CanaryEnd } from "../canary/canary-crash.ts";
import { OTHER_WAYS } from "./check-capture.ts";
import { readInstalledCapture } from "./installed-capture.ts";
import {
  failed,
  failedBy,
  ok,
  skipped,
  warning,
  type CheckContext,
  type CheckResult,
} from "./check.ts";
import { openKernelMessages } from "./kernel-messages.ts";

const LIMITS = { heldMs: 15_000, publishedMs: 20_000 };
/** The checks without which the canary would prove nothing, or its core would go to another program. */
const NEEDED = ["root", "core_pattern", "HOST_DIR"] as const;

/** Runs the canary and judges its end. */
export async function checkCanary(context: CheckContext): Promise<CheckResult> {
  const broken = NEEDED.find((name) => context.earlier.get(name)?.status === "failed");
  if (broken !== undefined) return skipped(`not tried, as ${broken} is wrong`);
  const { HOST_DIR, CORE_DIR } = context.settings;
  const { mode } = await readInstalledCapture(context.settings);
  await removeOldCanaries(HOST_DIR, CORE_DIR);
  const kernel = openKernelMessages();
  try {
    const end = await runCanary(HOST_DIR, LIMITS, mode);
    const evidence = [end.trace.lastLine, kernel.since()].filter(
      (line) => line !== undefined && line !== "",
    );
    return await judgeCanary(end, mode, context, evidence.join("; ") || undefined);
  } catch (error) {
    return failedBy(error, "see the checks of HOST_DIR and space");
  } finally {
    kernel.close();
  }
}

async function judgeCanary(
  end: CanaryEnd,
  mode: CaptureMode,
  { settings }: CheckContext,
  evidence: string | undefined,
): Promise<CheckResult> {
  const { HOST_DIR, CORE_DIR, PROC_ROOT } = settings;
  if (end.notStarted !== undefined)
    return failed(
      `the canary cannot be started, in HOST_DIR or from memory: ${end.notStarted}`,
      "HOST_DIR must be on a filesystem that allows execution",
      evidence,
    );
  if (mode === "file" && end.coreFile !== undefined) return checkFile(end.coreFile, end, evidence);
  const { started, end: last } = end.trace;
  if (!started)
    return judgeSilence(end, await readSysctl(PROC_ROOT, CORE_PATTERN), HOST_DIR, evidence);
  if (last === undefined)
    return failed(
      end.signal === "SIGKILL"
        ? `the composer started and held the crashed process for ${LIMITS.heldMs / 1000} s`
        : "the composer started and did not finish",
      "look into composer.log; a hanging disk or a full one is the usual cause",
      evidence,
    );
  if (last.event !== "dump_published")
    return failed(
      `the composer gave up: ${last.event === "dump_failed" ? last.error : last.reason}`,
      "the sentence says what is wrong on the host; space and CORE_DIR are checked above",
      evidence,
    );
  return checkZip(join(CORE_DIR, basename(last.zip)), end, evidence);
}

/** Judges a canary of which no composer recorded anything: the kernel did not start one, or it could not run. */
export function judgeSilence(
  { signal }: Pick<CanaryEnd, "signal">,
  pattern: string,
  hostDir: string,
  evidence: string | undefined,
): CheckResult {
  const now = `kernel.core_pattern = ${pattern}`;
  if (!isOurPattern(pattern, hostDir))
    return failed(
      `core_pattern was taken by ${handlerName(pattern)} while the canary crashed`,
      "keep the other tool from setting it (sysctl.d, apport, systemd-coredump); the agent takes it back where CORE_PATTERN_DRIFT=reapply",
      now,
    );
  if (evidence?.includes("over core_pipe_limit") === true)
    return failed(
      "the kernel dropped the crash: core_pipe_limit dumps were under way already",
      "raise CORE_PIPE_LIMIT; where no dump is under way, a composer hangs: look for processes named cdc",
      evidence,
    );
  if (signal !== "SIGSEGV")
    return failed(
      `the canary did not crash as it should (${signal ?? "it ended quietly"})`,
      "report this",
      evidence,
    );
  return SILENT_WAYS[captureModeOf(pattern, hostDir) ?? "pipe"](hostDir, evidence);
}

/** The verdict by mode where core_pattern is right and no core came. */
const SILENT_WAYS: Record<
  CaptureMode,
  (hostDir: string, evidence: string | undefined) => CheckResult
> = {
  pipe: (hostDir, evidence) =>
    failed(
      `the kernel did not start ${hostDir}/cdc, or it could not run on this host`,
      `the executable must suit the host: set VENDOR=auto, or VENDOR=self-contained; SELinux may forbid the kernel to run programs from there (ausearch -m avc), and then ${OTHER_WAYS}`,
      evidence,
    ),
  socket: (_hostDir, evidence) =>
    failed(
      "the kernel's connection came to no composer",
      "the listener's log says more; it must run as root, with hostPID in a pod",
      evidence,
    ),
  file: (_hostDir, evidence) =>
    failed(
      "the kernel wrote no core file into our own /tmp",
      "it must be there and writable (in a pod, an emptyDir), with a hard RLIMIT_CORE above 0",
      evidence,
    ),
};

async function checkFile(
  path: string,
  { marker, heldMs }: CanaryEnd,
  evidence: string | undefined,
): Promise<CheckResult> {
  try {
    const bytes = await readCanaryFile(path, marker);
    return ok(
      `crashed, written and read back: ${(bytes / 2 ** 20).toFixed(1)} MiB of core, in ${(heldMs / 1000).toFixed(1)} s`,
    );
  } catch (error) {
    return failed(
      `the canary's core file is not right: ${describeError(error)}`,
      "is the filesystem of /tmp full?",
      evidence,
    );
  } finally {
    await removeFile(path);
  }
}

async function checkZip(
  path: string,
  end: CanaryEnd,
  evidence: string | undefined,
): Promise<CheckResult> {
  try {
    const zip = await readCanaryZip(path, end.name, end.marker);
    const found = `crashed, kept and read back: ${(zip.coreBytes / 2 ** 20).toFixed(1)} MiB of core, held ${(end.heldMs / 1000).toFixed(1)} s`;
    return judgeZip(found, zip);
  } catch (error) {
    return failed(
      `the canary's zip is not right: ${describeError(error)}`,
      "report this",
      evidence,
    );
  } finally {
    await removeFile(path);
  }
}

/**
 * Judges what the composer on the host reports about its settings: in a pod only the composer sees the host's sockets.
 */
export function judgeZip(
  found: string,
  { missing, settingsIgnored }: Pick<CanaryZip, "missing" | "settingsIgnored">,
): CheckResult {
  const [first] = missing;
  if (first !== undefined)
    return {
      ...warning(
        `${found}; ${missing.length} pieces of its pod are missing`,
        "the composer asks the runtime on the host: check CRIO_ENDPOINT and COMP_CRI_CLIENT",
      ),
      evidence: first,
    };
  const [ignored] = settingsIgnored;
  if (ignored === undefined) return ok(found);
  return {
    ...warning(
      `${found}; a setting does not fit the host`,
      "correct it: what stands in for it here may not be there tomorrow, or on the next node",
    ),
    evidence: ignored,
  };
}
