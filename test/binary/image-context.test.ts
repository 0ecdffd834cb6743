// What an image is built from: the right executables for each architecture and libc, under the names that
// the agent looks for, and a Dockerfile that provides what the image's own executable loads.
import { readFile, readdir, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "bun:test";
import { LIBCS, contextOf, writeImageContext } from "../../build/image-context.ts";
import { TARGETS, hostTarget } from "../../build/targets.ts";
import { readElfFile } from "../support/elf-file.ts";
import { builtExecutable } from "../support/executable.ts";

const ARCHITECTURES = { amd64: "x64", arm64: "arm64" } as const;
const BUILD_TIMEOUT_MS = 120_000;

for (const libc of LIBCS)
  describe(libc, () => {
    const context = contextOf(libc);
    beforeAll(async () => {
      for (const target of TARGETS) await builtExecutable(target);
      await writeImageContext(libc);
    }, BUILD_TIMEOUT_MS);

    for (const [platform, arch] of Object.entries(ARCHITECTURES)) {
      test(`${platform} has both builds for the nodes and runs its own`, async () => {
        const app = join(context, platform, "app");
        expect((await readdir(app)).toSorted()).toEqual([
          "core-dump-agent",
          "core-dump-handler",
          `core-dump-handler-linux-${arch}-gnu`,
          `core-dump-handler-linux-${arch}-musl`,
        ]);
        for (const build of LIBCS) {
          const elf = await readElfFile(join(app, `core-dump-handler-linux-${arch}-${build}`));
          expect(elf.machine).toBe(arch);
          expect(elf.interpreter.includes("musl")).toBe(build === "musl");
        }
        expect(await readlink(join(app, "core-dump-agent"))).toBe("core-dump-handler");
        expect(await realpath(join(app, "core-dump-agent"))).toBe(
          join(await realpath(app), `core-dump-handler-linux-${arch}-${libc}`),
        );
      });

      test(`${platform}: the Dockerfile brings every library that the executable loads`, async () => {
        const dockerfile = await readFile(join(context, "Dockerfile"), "utf8");
        const elf = await readElfFile(join(context, platform, "app", "core-dump-handler"));
        const libraries = elf.needed.map((name) =>
          name.replace(/^(ld-linux|libc\.musl)-.*/, "$1-"),
        );
        for (const library of libraries) expect(dockerfile).toContain(library);
      });
    }
  });

test("the entry point answers --version", async () => {
  const { arch, libc } = hostTarget();
  await writeImageContext(libc);
  const platform = arch === "x64" ? "amd64" : "arm64";
  const child = Bun.spawn([join(contextOf(libc), platform, "app/core-dump-agent"), "--version"]);
  expect(await child.stdout.text()).toMatch(/^core-dump-handler \d+\.\d+\.\d+\n$/);
});
