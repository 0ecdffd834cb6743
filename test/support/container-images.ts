// Container images for the tests, from static binaries only: OCI layouts of one layer, as tar files.
import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runTool } from "./run-tool.ts";

export interface ImageSpec {
  /** registry.test/app:1 */
  reference: string;
  /** Path in the image → file on this machine. */
  files: Record<string, string>;
  entrypoint: string[];
  /** Files that their users may run and not read: such a process is not dumpable (execve(2)). */
  unreadable?: string[];
  /** The image's USER, "" for root. */
  user?: string;
}

const PASSWD = "root:x:0:0:root:/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n";
const ARCHITECTURE = process.arch === "arm64" ? "arm64" : "amd64";

/** Builds a static binary from a source of test/fixtures/container. */
export async function buildStatic(
  name: "app" | "honest" | "hostile" | "pause",
  folder: string,
): Promise<string> {
  const source = join(import.meta.dir, "../fixtures/container", `${name}.c`);
  const program = join(folder, name);
  await runTool(["gcc", "-static", "-O1", "-g", "-pthread", "-o", program, source]);
  return program;
}

/** Writes the image as folder/NAME.tar, for `ctr images import`, and returns that path. */
export async function writeImage(spec: ImageSpec, folder: string): Promise<string> {
  const work = await mkdtemp(join(folder, "image-"));
  const rootfs = join(work, "rootfs");
  for (const directory of ["etc", "tmp", "proc", "sys", "dev"])
    await mkdir(join(rootfs, directory), { recursive: true });
  // As in images of flesh and blood; mkdir(2) heeds the umask.
  await chmod(join(rootfs, "tmp"), 0o1777);
  await writeFile(join(rootfs, "etc/passwd"), PASSWD);
  for (const [path, file] of Object.entries(spec.files)) {
    await mkdir(dirname(join(rootfs, path)), { recursive: true });
    await copyFile(file, join(rootfs, path));
  }
  for (const path of spec.unreadable ?? []) await chmod(join(rootfs, path), 0o711);
  const layerPath = join(work, "layer.tar");
  await runTool([
    "tar",
    "--numeric-owner",
    "--owner=0",
    "--group=0",
    "-C",
    rootfs,
    "-cf",
    layerPath,
    ".",
  ]);
  const layout = join(work, "layout");
  await mkdir(join(layout, "blobs/sha256"), { recursive: true });
  const layer = await putBlob(layout, await readFile(layerPath));
  const config = await putJson(layout, {
    architecture: ARCHITECTURE,
    os: "linux",
    config: { Entrypoint: spec.entrypoint, Env: ["PATH=/bin"], User: spec.user ?? "" },
    rootfs: { type: "layers", diff_ids: [layer.digest] },
  });
  const manifest = await putJson(layout, {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", ...layer }],
  });
  const index = {
    schemaVersion: 2,
    manifests: [
      {
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        ...manifest,
        annotations: { "io.containerd.image.name": spec.reference },
      },
    ],
  };
  await writeFile(join(layout, "index.json"), JSON.stringify(index));
  await writeFile(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  const image = join(folder, `${spec.reference.replace(/\W/g, "-")}.tar`);
  await runTool(["tar", "-C", layout, "-cf", image, "."]);
  await rm(work, { recursive: true });
  return image;
}

function putJson(layout: string, value: unknown) {
  return putBlob(layout, Buffer.from(JSON.stringify(value)));
}

async function putBlob(layout: string, data: Buffer): Promise<{ digest: string; size: number }> {
  const hash = createHash("sha256").update(data).digest("hex");
  await writeFile(join(layout, "blobs/sha256", hash), data);
  return { digest: `sha256:${hash}`, size: data.length };
}
