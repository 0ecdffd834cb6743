// The Bun that each executable embeds: nine tenths of what ends up as root on the nodes. Bun would fetch the one of
// another architecture or libc by itself and take what comes; here every one is checked by its hash at each build.
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { extractPackage } from "./npm-package.ts";
import { ROOT, type Target } from "./targets.ts";

const VERSION = "1.4.5";

interface Runtime {
  package: string;
  /** Of the package's tarball, see npm-package.ts. */
  integrity: string;
  /** Of bin/bun in it, in hexadecimal. */
  sha256: string;
}

/** By the target's name. A new version of Bun is a new line in each. */
export const RUNTIMES: Readonly<Record<string, Runtime>> = {
  "linux-x64-gnu": {
    package: "@oven/bun-linux-x64",
    integrity:
      "sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==",
    sha256: "f05d28a3862f4b84395c7fa32480b835dd47482e80b7e7a49a115227f0c06083",
  },
  "linux-x64-musl": {
    package: "@oven/bun-linux-x64-musl",
    integrity:
      "sha512-10QoW/YfTgnURaGEaHpJCiXjLI2e5iTtfVDaA5JKcyUzaa1cq6cVUY9/Uq5XkYzvtRjHLRe9Oj/lTDIQcxy8HQ==",
    sha256: "cf5d285ddbe256785a5121a3c113191a6b577504976374c7cfd5aedca609b720",
  },
  "linux-arm64-gnu": {
    package: "@oven/bun-linux-aarch64",
    integrity:
      "sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==",
    sha256: "04778f1f42399a69d086853e9c7af4acf574b2f21a43d0dc673853d8b84a2923",
  },
  "linux-arm64-musl": {
    package: "@oven/bun-linux-aarch64-musl",
    integrity:
      "sha512-XCNc+WvvMAdNNb+OWTogpy+N9wm62fkVeEVLb6how0RZhW5LPi6c7BlkeVCuWps7XjEl2saFpHFa20/1E+PAHg==",
    sha256: "9c48986093073afec8b76a3e285303598dd2462f52748aecb65e4d94866e1ea3",
  },
};

const CACHE = join(ROOT, "node_modules/.cache/bun");

/** The path of a target's runtime, fetched with npm the first time. Throws where none with the pinned hash is had. */
export async function provideRuntime({ name }: Pick<Target, "name">): Promise<string> {
  const runtime = RUNTIMES[name];
  if (runtime === undefined) throw new Error(`no runtime is pinned for ${name}`);
  // The Bun that runs this build is one of them, as a rule.
  if ((await sha256Of(process.execPath)) === runtime.sha256) return process.execPath;
  const path = join(CACHE, `${name}-${VERSION}`);
  if ((await sha256Of(path)) === runtime.sha256) return path;
  const folder = `${path}.${process.pid}`;
  await mkdir(folder, { recursive: true });
  try {
    const { package: packageName, integrity } = runtime;
    const pinned = { name: packageName, version: VERSION, integrity };
    await extractPackage(pinned, ["bin/bun"], folder);
    await requireHash(join(folder, "bin/bun"), runtime.sha256);
    // Two builds may fetch at once: the last one to be ready replaces the same bytes.
    await rename(join(folder, "bin/bun"), path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return path;
}

/** Throws where the file is another one. */
export async function requireHash(path: string, sha256: string): Promise<void> {
  const found = await sha256Of(path);
  if (found !== sha256)
    throw new Error(`${path} has sha256 ${found ?? "none: it is not there"}, expected ${sha256}`);
}

/** undefined where there is no file. */
async function sha256Of(path: string): Promise<string | undefined> {
  const file = Bun.file(path);
  if (!(await file.exists())) return undefined;
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of file.stream()) hasher.update(chunk);
  return hasher.digest("hex");
}
