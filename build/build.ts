// `bun run build [--target NAME]`: the standalone executables in dist/. What they are made of is here;
// which ones there are is in targets.ts.
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import packageJson from "../package.json" with { type: "json" };
import { provideRuntime } from "./runtimes.ts";
import { DIST, ROOT, executableOf, selectTargets, type Target } from "./targets.ts";

const { values } = parseArgs({ options: { target: { type: "string", default: "all" } } });

await mkdir(DIST, { recursive: true });
for (const target of selectTargets(values.target)) {
  const startedMs = performance.now();
  await compile(target);
  const { size } = await stat(executableOf(target));
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`dist/core-dump-handler-${target.name}  ${(size / 1e6).toFixed(0)} MB  ${seconds} s`);
}

/**
 * Compiles one target on a Bun that was checked by its hash; another architecture's or libc's is fetched once.
 * The finished file replaces the old one by rename: the old one may be running.
 */
async function compile(target: Target): Promise<void> {
  const unfinished = `${executableOf(target)}.unfinished`;
  const runtime = await provideRuntime(target);
  try {
    await Bun.build({
      entrypoints: [join(ROOT, "src/main.ts")],
      target: "bun",
      format: "esm",
      minify: true,
      // Each role is a chunk of its own, loaded on demand: the composer starts sooner and takes 6 MB
      // less than with the agent's S3 client in the same chunk.
      splitting: true,
      bytecode: true,
      define: { CORE_DUMP_HANDLER_VERSION: JSON.stringify(packageJson.version) },
      compile: {
        target: target.compileTarget,
        executablePath: runtime,
        outfile: unfinished,
        // Machine code made for start-up loops never pays here and costs 8 MB: all heavy work is native.
        jitPolicy: 1000,
        // The composer runs as root in whatever directory: nothing that lies there may steer it.
        autoloadDotenv: false,
        autoloadBunfig: false,
        autoloadTsconfig: false,
        autoloadPackageJson: false,
      },
    });
    await rename(unfinished, executableOf(target));
  } finally {
    await rm(unfinished, { force: true });
  }
}
