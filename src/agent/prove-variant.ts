// Installs the build that runs on this host: each that may suit is installed and tried by a crash of our own
// (doctor/canary.ts), until the kernel is seen to start it.
import { join } from "node:path";
import type { AgentSettings } from "../config/agent-settings.ts";
import { removeFile } from "../host/files.ts";
import type { Log } from "../host/log.ts";
import { describeError } from "../model/app-error.ts";
import { runCanary, type CanaryEnd } from "./doctor/canary.ts";
import { planVariants, type Variant } from "./executables.ts";
import { install, type InstallContext } from "./install.ts";
import { readInstallRecord, writeInstallRecord } from "./install-record.ts";

const LIMITS = { heldMs: 10_000, publishedMs: 10_000 };

/**
 * Leaves a proven build installed; where none can be proven, the first, and the doctor says what is wrong.
 * With DOCTOR off, or one build only, nothing is tried. Throws what install() throws.
 */
export async function installProven(context: Omit<InstallContext, "variant">): Promise<void> {
  const { settings, executable, log } = context;
  const proven = (await readInstallRecord(settings.HOST_DIR, log))?.proven;
  const variants = await planVariants(executable, settings, proven);
  const [first] = variants;
  if (variants.length === 1 || !settings.DOCTOR) {
    await install(first === undefined ? context : { ...context, variant: first });
    return;
  }
  for (const variant of variants) if (await tryVariant(context, variant, variant === first)) return;
  log.error("no_variant_suits", { tried: variants.join(", ") });
  await install(first === undefined ? context : { ...context, variant: first });
}

async function tryVariant(
  context: Omit<InstallContext, "variant">,
  variant: Variant,
  isFirst: boolean,
): Promise<boolean> {
  const { settings, log } = context;
  try {
    await install({ ...context, variant });
  } catch (error) {
    // What is wrong with HOST_DIR is wrong for all of them.
    if (isFirst) throw error;
    log.warn("variant_unsuited", { variant, because: describeError(error) });
    return false;
  }
  const end = await runCanary(settings.HOST_DIR, LIMITS);
  await discardZip(settings, end);
  // That the canary itself cannot be started is not the composer's fault; the doctor tells.
  if (end.notStarted !== undefined) return true;
  if (!end.trace.started) {
    log.warn("variant_unsuited", {
      variant,
      because: "the kernel did not start it, or it ended at once",
    });
    return false;
  }
  await noteProven(settings.HOST_DIR, variant, log);
  log.info("variant_proven", { variant });
  return true;
}

async function discardZip(
  { CORE_DIR }: Pick<AgentSettings, "CORE_DIR">,
  { trace }: CanaryEnd,
): Promise<void> {
  const zip = trace.end?.["zip"];
  if (typeof zip === "string" && trace.end?.["canary"] === true)
    await removeFile(join(CORE_DIR, zip));
}

async function noteProven(hostDir: string, variant: Variant, log: Log): Promise<void> {
  const record = await readInstallRecord(hostDir, log);
  if (record !== undefined && record.proven !== variant)
    await writeInstallRecord(hostDir, { ...record, proven: variant });
}
