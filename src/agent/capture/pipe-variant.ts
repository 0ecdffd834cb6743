// Chooses the program for a pipe: installs each variant that may suit the host and tries it with a canary
// (canary/trial.ts), until the kernel has started one.
import type { Log } from "../../host/log.ts";
import { describeError } from "../../model/app-error.ts";
import { tryCanary, type Canary, type Trial } from "../canary/trial.ts";
import { planVariants, type Variant } from "../install/executables.ts";
import { install, type InstallContext } from "../install/install.ts";
import { readInstallRecord, writeInstallRecord } from "../install/install-record.ts";

type PipeContext = Omit<InstallContext, "variant" | "mode"> & { canary?: Canary };

/**
 * Leaves a proven variant installed. Where none can be proven, it leaves the first, or the last one tried if `prove` is
 * set, which means that other modes follow. It tries nothing with DOCTOR off, and a single variant only with `prove`.
 * Throws what install() throws.
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
    // A canary that cannot start is not the variant's fault; the doctor reports it.
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
    // An error of HOST_DIR concerns all variants.
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
