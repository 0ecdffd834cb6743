// A pipe's program: each build that may suit the host is installed and tried by a crash of our own
// (doctor/canary.ts), until the kernel is seen to start it.
import type { Log } from "../../host/log.ts";
import { describeError } from "../../model/app-error.ts";
import { tryCanary, type Canary, type Trial } from "../canary/trial.ts";
import { planVariants, type Variant } from "../install/executables.ts";
import { install, type InstallContext } from "../install/install.ts";
import { readInstallRecord, writeInstallRecord } from "../install/install-record.ts";

type PipeContext = Omit<InstallContext, "variant" | "mode"> & { canary?: Canary };

/**
 * Leaves a proven build installed; where none can be proven, the first, or the last tried where `prove` says that
 * there are other ways. With DOCTOR off nothing is tried, and one build alone only for `prove`. Throws what
 * install() throws.
 */
export async function installPipe(context: PipeContext, prove: boolean): Promise<Trial> {
  const { settings, executable, log } = context;
  const proven = (await readInstallRecord(settings.HOST_DIR, log))?.proven;
  const variants = await planVariants(executable, settings, proven);
  const [first = "gnu"] = variants;
  if (!settings.DOCTOR || (variants.length === 1 && !prove)) {
    await install({ ...context, variant: first });
    return { outcome: "installed", because: "no canary was asked for" };
  }
  let because = "";
  for (const variant of variants) {
    const trial = await tryVariant(context, variant, variant === first);
    if (trial.outcome === "proven") return trial;
    // That the canary itself cannot be started is not the build's fault: the doctor tells.
    if (trial.outcome === "unknown") return trial;
    log.warn("variant_unsuited", { variant, because: trial.because });
    because ||= trial.because;
  }
  if (!prove) {
    log.error("no_variant_suits", { tried: variants.join(", ") });
    await install({ ...context, variant: first });
  }
  return { outcome: "installed", because };
}

async function tryVariant(
  context: PipeContext,
  variant: Variant,
  isFirst: boolean,
): Promise<Trial> {
  const { settings, canary = tryCanary, log } = context;
  try {
    await install({ ...context, variant });
  } catch (error) {
    // What is wrong with HOST_DIR is wrong for all of them.
    if (isFirst) throw error;
    return { outcome: "installed", because: describeError(error) };
  }
  const trial = await canary(settings, "pipe");
  if (trial.outcome === "proven") {
    await noteProven(settings.HOST_DIR, variant, log);
    log.info("variant_proven", { variant });
  }
  return trial;
}

async function noteProven(hostDir: string, variant: Variant, log: Log): Promise<void> {
  const record = await readInstallRecord(hostDir, log);
  if (record !== undefined && record.proven !== variant)
    await writeInstallRecord(hostDir, { ...record, proven: variant });
}
