// Azurite, Azure's own storage emulator, and Azure's own client: installed by the lock file in azurite/ below
// node_modules/.cache, the first time that a test wants them. Apart from the project's packages, because they are 190
// MB. No script of theirs is run to install.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { findProgram } from "./gate.ts";

const SOURCE = join(import.meta.dir, "azurite");
const ROOT = join(import.meta.dir, "../..");
const CACHE = join(ROOT, "node_modules/.cache");

/** Why there is no Azurite to be had here, or undefined. */
export function azuriteObstacle(): string | undefined {
  return findProgram("node") === undefined ? "needs node, which runs Azurite" : undefined;
}

/** The folder that holds Azurite's node_modules. */
export function installAzurite(): string {
  const text = readFileSync(join(SOURCE, "bun.lock"));
  const lock = new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 12);
  const folder = join(CACHE, `azurite-${lock}`);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const fresh = mkdtempSync(join(CACHE, "azurite-"));
  cpSync(SOURCE, fresh, { recursive: true });
  const install = ["install", "--frozen-lockfile", "--ignore-scripts"];
  const end = Bun.spawnSync([process.execPath, ...install], { cwd: fresh, stderr: "pipe" });
  if (!end.success) throw new Error(`Azurite was not installed: ${end.stderr.toString()}`);
  try {
    renameSync(fresh, folder);
  } catch (error) {
    // Another test file was quicker.
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
