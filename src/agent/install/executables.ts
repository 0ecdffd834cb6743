// Chooses the file that becomes HOST_DIR/cdc, and crictl's. The image may have several builds beside the agent.
import { machineName } from "../../host/machine.ts";
import { dirname, join } from "node:path";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { readElfProgram } from "../../host/elf-program.ts";
import type { FilePatch } from "../../host/file-patch.ts";
import { exists } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { AppError } from "../../model/app-error.ts";
import { planSelfContained } from "./self-contained.ts";

/** The builds, by the host's libc; "self-contained" brings its own libc. */
export type Variant = "gnu" | "musl" | "self-contained";

/** The files of one variant. */
export interface ComposerFiles {
  source: string;
  /** The changes to the copy. */
  patches: FilePatch[];
  /** The files that go into HOST_DIR/lib. */
  libraries: string[];
}

const BY_VENDOR: Partial<Record<AgentSettings["VENDOR"], Variant>> = {
  default: "gnu",
  rhel7: "gnu",
  musl: "musl",
  "self-contained": "self-contained",
};

type VendorSettings = Pick<AgentSettings, "VENDOR" | "POD_NAME">;

/**
 * Returns the variants to try, the best first. With VENDOR=auto these are the builds whose loader is on the host; in a
 * pod, which does not see the host's root, all builds in the image. `proven`, which ran on this host before, comes
 * first.
 */
export async function planVariants(
  executable: string,
  { VENDOR, POD_NAME }: VendorSettings,
  proven?: string,
): Promise<Variant[]> {
  const named = BY_VENDOR[VENDOR];
  if (named !== undefined) return [named];
  const variants: Variant[] = [];
  for (const libc of ["gnu", "musl"] as const) {
    const build = await findBuild(executable, libc);
    if (build === undefined) continue;
    const isUsable = POD_NAME !== "" || (await exists(build.loader));
    if (isUsable) variants.push(libc);
  }
  variants.push("self-contained");
  return variants.toSorted((a, b) => Number(b === proven) - Number(a === proven));
}

/** Returns the first variant to try. */
export async function firstVariant(executable: string, settings: VendorSettings): Promise<Variant> {
  return (await planVariants(executable, settings))[0] ?? "gnu";
}

/** Plans a variant's files. Throws AppError "host" where the build is for another machine. */
export async function planComposer(
  executable: string,
  variant: Variant,
  hostDir: string,
): Promise<ComposerFiles> {
  if (variant === "self-contained")
    return { source: executable, ...(await planSelfContained(executable, hostDir)) };
  const beside = pathOfBuild(executable, variant);
  const source = (await exists(beside)) ? beside : executable;
  const program = await readElfProgram(source);
  if (program.machine !== machineName())
    throw new AppError(
      "host",
      `${source} is made for ${program.machine}, not for ${machineName()}`,
      {
        hint: "use the image, or the executable, of this architecture",
      },
    );
  return { source, patches: [], libraries: [] };
}

/** Finds the build for a libc under its own name; this executable where it is that build. */
async function findBuild(
  executable: string,
  libc: "gnu" | "musl",
): Promise<{ loader: string } | undefined> {
  const beside = pathOfBuild(executable, libc);
  const path = (await exists(beside)) ? beside : executable;
  const { loader } = await readElfProgram(path);
  const isRight = loader !== undefined && loader.includes("/ld-musl-") === (libc === "musl");
  return isRight ? { loader } : undefined;
}

function pathOfBuild(executable: string, libc: "gnu" | "musl"): string {
  return join(dirname(executable), `core-dump-handler-linux-${process.arch}-${libc}`);
}

/**
 * Finds the crictl of the image, where DEPLOY_CRIO_EXE asks for one. An image without one is a warning, because the
 * composer asks the runtime itself, and values of IBM's chart (includeCrioExe) set this for its composer. Throws
 * AppError "configuration" where COMP_CRI_CLIENT leaves the composer nothing else.
 */
export async function findCrictlToDeploy(
  { DEPLOY_CRIO_EXE, composer }: AgentSettings,
  executable: string,
  log: Log,
): Promise<string | undefined> {
  if (!DEPLOY_CRIO_EXE) return undefined;
  const beside = join(dirname(executable), "crictl");
  if (await exists(beside)) return beside;
  if (composer.CRI_CLIENT !== "crictl") {
    const because = "this image carries none; the composer asks the runtime itself";
    log.warn("crictl_not_deployed", { looked_for: beside, because });
    return undefined;
  }
  throw new AppError("configuration", `DEPLOY_CRIO_EXE is true, and there is no ${beside}`, {
    hint: "this image carries no crictl: unset DEPLOY_CRIO_EXE and COMP_CRI_CLIENT, or use an image built with one",
  });
}
