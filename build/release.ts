// `bun build/release.ts [--skip-build] [--image REGISTRY/REPOSITORY]`: everything a release consists of, in
// dist/release and dist/images: executables with checksums, an SBOM, the packaged chart (whose default image is
// the one named), and the images' contexts.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, cp, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import packageJson from "../package.json" with { type: "json" };
import { installHelm } from "./helm.ts";
import { LIBCS, contextOf, writeImageContext } from "./image-context.ts";
import { writeSbomText } from "./sbom.ts";
import { DIST, ROOT, TARGETS, executableOf } from "./targets.ts";

const { values } = parseArgs({
  options: {
    "skip-build": { type: "boolean", default: false },
    image: { type: "string" },
  },
});
const RELEASE = join(DIST, "release");
const { name, version } = packageJson;

if (!values["skip-build"]) await run([process.execPath, join(ROOT, "build/build.ts")]);
await rm(RELEASE, { recursive: true, force: true });
await mkdir(RELEASE, { recursive: true });
for (const target of TARGETS)
  await copyFile(executableOf(target), join(RELEASE, `${name}-${version}-${target.name}`));
await writeFile(join(RELEASE, `${name}-${version}.cdx.json`), await writeSbomText());
const chart = values.image === undefined ? join(ROOT, "chart") : await chartFor(values.image);
await run([await installHelm("helm4"), "package", chart, "--destination", RELEASE]);
await writeFile(join(RELEASE, "SHA256SUMS"), await checksums(RELEASE));
for (const libc of LIBCS) await writeImageContext(libc);

for (const file of await readdir(RELEASE)) {
  const { size } = await stat(join(RELEASE, file));
  console.log(
    `${relative(ROOT, join(RELEASE, file))}  ${(size / 1e6).toFixed(size < 1e6 ? 3 : 0)} MB`,
  );
}
for (const libc of LIBCS)
  console.log(
    `${relative(ROOT, contextOf(libc))}  docker buildx build --target prebuilt ` +
      `--platform linux/amd64,linux/arm64 -t ${name}${libc === "musl" ? "-musl" : ""}:${version} ${relative(ROOT, contextOf(libc))}`,
  );

/** A copy of the chart whose image is another one; the folder's name is the chart's. */
async function chartFor(image: string): Promise<string> {
  const [registry, ...path] = image.split("/");
  if (registry === undefined || path.length === 0 || image.includes(":"))
    throw new Error(`--image ${image}: want REGISTRY/REPOSITORY, without a tag`);
  const copy = join(DIST, "chart", name);
  await rm(copy, { recursive: true, force: true });
  await cp(join(ROOT, "chart"), copy, { recursive: true });
  const valuesPath = join(copy, "values.yaml");
  const text = await readFile(valuesPath, "utf8");
  const changed = text
    .replace(/^ {2}registry: .*$/m, `  registry: ${JSON.stringify(registry)}`)
    .replace(/^ {2}repository: .*$/m, `  repository: ${JSON.stringify(path.join("/"))}`);
  await writeFile(valuesPath, changed);
  return copy;
}

/** As sha256sum(1) writes and checks them. */
async function checksums(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const file of (await readdir(folder)).toSorted()) {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(join(folder, file))) hash.update(chunk as Buffer);
    lines.push(`${hash.digest("hex")}  ${file}\n`);
  }
  return lines.join("");
}

async function run(command: string[]): Promise<void> {
  const exitCode = await Bun.spawn(command, { stdout: "inherit", stderr: "inherit" }).exited;
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: exit ${exitCode}`);
}
