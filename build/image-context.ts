// dist/images/{gnu,musl}: all that `docker build` needs for an image from ready-made executables, without a
// compiler or a network beside the base image. See the Dockerfiles for --target prebuilt.
import { chmod, copyFile, link, mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { DIST, ROOT, TARGETS, executableOf, type Target } from "./targets.ts";

export type Libc = Target["libc"];
export const LIBCS: readonly Libc[] = ["gnu", "musl"];

/** What image platforms call an architecture. */
const PLATFORM_NAMES = { x64: "amd64", arm64: "arm64" } as const;

export function contextOf(libc: Libc): string {
  return join(DIST, "images", libc);
}

/** Needs the executables of every target in dist/. */
export async function writeImageContext(libc: Libc): Promise<void> {
  const context = contextOf(libc);
  await rm(context, { recursive: true, force: true });
  await mkdir(context, { recursive: true });
  await copyFile(join(ROOT, `Dockerfile.${libc}`), join(context, "Dockerfile"));
  await copyFile(join(ROOT, "LICENSE"), join(context, "LICENSE"));
  for (const target of TARGETS) {
    const app = join(context, PLATFORM_NAMES[target.arch], "app");
    await mkdir(app, { recursive: true });
    // Both builds of an architecture: the image runs one, the nodes may need the other.
    const name = `core-dump-handler-${target.name}`;
    await linkOrCopy(executableOf(target), join(app, name));
    if (target.libc !== libc) continue;
    await symlink(name, join(app, "core-dump-handler"));
    await symlink("core-dump-handler", join(app, "core-dump-agent"));
  }
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  await chmod(from, 0o755);
  await link(from, to).catch(async () => copyFile(from, to));
}
