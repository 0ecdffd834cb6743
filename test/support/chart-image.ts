// The image of Dockerfile.gnu, really built: by buildah, from the prebuilt context, on a base that holds
// this machine's glibc in place of Debian's image (there is no registry here).
import { copyFile, mkdir, realpath, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { contextOf, writeImageContext } from "../../build/image-context.ts";
import { TARGETS } from "../../build/targets.ts";
import type { Containerd } from "./containerd.ts";
import { builtExecutable } from "./executable.ts";
import { missingProgram } from "./gate.ts";
import { runTool } from "./run-tool.ts";

const LIBRARIES = ["libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "libresolv.so.2"];
const BASE = "localhost/library-base:1";
const PLATFORM = process.arch === "arm64" ? "arm64" : "amd64";
const TRIPLET = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
const LOADER = process.arch === "arm64" ? "ld-linux-aarch64.so.1" : "ld-linux-x86-64.so.2";

export function imageObstacle(): string | undefined {
  return missingProgram("buildah");
}

/** Builds the image and returns an archive of it that `ctr images import` takes. */
export async function buildChartImage(reference: string, folder: string): Promise<string> {
  for (const target of TARGETS) await builtExecutable(target);
  await writeImageContext("gnu");
  const buildah = await privateBuildah(folder);
  const base = await writeBaseContext(folder);
  await buildah("build", "--tag", BASE, base);
  const context = contextOf("gnu");
  const platform = ["--platform", `linux/${PLATFORM}`];
  const libraries = ["--build-arg", `LIBRARY_BASE=${BASE}`];
  const image = ["--target", "prebuilt", "--tag", reference];
  await buildah("build", ...platform, ...libraries, ...image, context);
  const archive = join(folder, "image.tar");
  await buildah("push", reference, `docker-archive:${archive}:${reference}`);
  return archive;
}

export async function importImage({ socket }: Containerd, archive: string): Promise<void> {
  await runTool(["ctr", "-a", socket, "-n", "k8s.io", "images", "import", archive]);
}

/** With storage of its own, which goes with the folder. */
async function privateBuildah(folder: string): Promise<(...args: string[]) => Promise<string>> {
  const storage = join(folder, "buildah");
  await mkdir(storage);
  const configuration = join(storage, "storage.conf");
  await writeFile(
    configuration,
    `[storage]\ndriver = "vfs"\nrunroot = "${storage}/run"\ngraphroot = "${storage}/graph"\n`,
  );
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    CONTAINERS_STORAGE_CONF: configuration,
    BUILDAH_ISOLATION: "chroot",
  };
  return (...args) => runTool(["buildah", ...args], { env });
}

async function writeBaseContext(folder: string): Promise<string> {
  const context = join(folder, "library-base");
  const libraries = join(context, "usr/lib", TRIPLET);
  await mkdir(libraries, { recursive: true });
  for (const name of [LOADER, ...LIBRARIES])
    await copyFile(await realpath(join("/usr/lib", TRIPLET, name)), join(libraries, name));
  await writeFile(join(context, "Dockerfile"), "FROM scratch\nCOPY usr /usr\n");
  return context;
}
