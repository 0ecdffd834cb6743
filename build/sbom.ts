// What is inside the executables, as a CycloneDX 1.5 document: Bun, which they embed, and the npm packages
// that src/ can reach, by bun.lock. Development packages are not in them, and not in it.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { ROOT } from "./targets.ts";

/** A package of bun.lock: `name@version`, its registry (blank: the default), what it needs, its hash. */
type LockedPackage = [string, string, { dependencies?: Record<string, string> }, string];

export interface Lock {
  workspaces: { "": { dependencies?: Record<string, string> } };
  packages: Record<string, LockedPackage>;
}

export interface Component {
  type: "library" | "platform";
  name: string;
  version: string;
  purl: string;
  licenses?: { license: { name: string } }[];
  hashes?: { alg: "SHA-512"; content: string }[];
}

/** Keys of the lock's packages that the program needs, nearest dependencies first. */
export function planShippedPackages(lock: Lock): string[] {
  const shipped = new Set<string>();
  const waiting = Object.keys(lock.workspaces[""].dependencies ?? {}).map((name) => ["", name]);
  for (const [parent = "", name = ""] of waiting) {
    const key = resolveKey(lock, parent, name);
    if (key === undefined || shipped.has(key)) continue;
    shipped.add(key);
    const dependencies = lock.packages[key]?.[2].dependencies ?? {};
    waiting.push(...Object.keys(dependencies).map((child) => [key, child]));
  }
  return [...shipped];
}

/** A package of another version than the hoisted one stands under its parent's key: `parent/name`. */
function resolveKey(lock: Lock, parent: string, name: string): string | undefined {
  for (let at = parent; at !== ""; at = at.slice(0, Math.max(at.lastIndexOf("/"), 0)))
    if (`${at}/${name}` in lock.packages) return `${at}/${name}`;
  return name in lock.packages ? name : undefined;
}

export function describePackage(locked: LockedPackage, license: string | undefined): Component {
  const [id, , , integrity] = locked;
  const name = nameOf(id);
  const version = id.slice(name.length + 1);
  const component: Component = {
    type: "library",
    name,
    version,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
  };
  if (license !== undefined) component.licenses = [{ license: { name: license } }];
  if (integrity.startsWith("sha512-")) {
    const content = Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex");
    component.hashes = [{ alg: "SHA-512", content }];
  }
  return component;
}

/** Of `name@version`, where the name may begin with an @ of its own. */
function nameOf(id: string): string {
  return id.slice(0, id.lastIndexOf("@"));
}

/** The document as JSON. Throws when bun.lock cannot be read. */
export async function writeSbomText(): Promise<string> {
  // bun.lock is JSON with trailing commas; importing it is how Bun reads such a file.
  const imported = (await import(join(ROOT, "bun.lock"))) as { default: Lock };
  const lock = imported.default;
  const packages = planShippedPackages(lock).flatMap((key) => {
    const locked = lock.packages[key];
    if (locked === undefined) return [];
    return [describePackage(locked, licenseOf(key, nameOf(locked[0])))];
  });
  const bun: Component = {
    type: "platform",
    name: "bun",
    version: Bun.version,
    purl: `pkg:npm/bun@${Bun.version}`,
    licenses: [{ license: { name: "MIT" } }],
  };
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      component: {
        type: "application",
        name: packageJson.name,
        version: packageJson.version,
        licenses: [{ license: { name: packageJson.license } }],
      },
    },
    components: [bun, ...packages.toSorted((a, b) => a.purl.localeCompare(b.purl))],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function licenseOf(key: string, name: string): string | undefined {
  const parent = key.slice(0, -name.length);
  const folder = parent === "" ? name : join(parent, "node_modules", name);
  const path = join(ROOT, "node_modules", folder, "package.json");
  if (!existsSync(path)) return undefined;
  const { license } = JSON.parse(readFileSync(path, "utf8")) as { license?: unknown };
  return typeof license === "string" ? license : undefined;
}
