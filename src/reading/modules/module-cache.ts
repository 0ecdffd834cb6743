// The modules that this person has fetched before, by id and content, in a folder of theirs. Files are dated before any
// crash, because a debugger warns about a program that is newer than its core.
import { constants } from "node:fs";
import { mkdir, open, readdir, rename, unlink, type FileHandle } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { writeFully } from "../../host/full-write.ts";
import type { Artifact } from "../../model/module-id.ts";

const NEW_FILE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const BEFORE_ANY_CRASH = new Date(0);

/** Where fetched files stay. */
export interface ModuleCache {
  readonly folder: string;
  /** Returns the paths of the files that are there, whatever their contents. */
  find(id: string, artifact: Artifact): Promise<string[]>;
  /** Takes a file's bytes, and returns its path. Throws what `bytes` throws, and then keeps nothing. */
  keep(id: string, artifact: Artifact, bytes: AsyncIterable<Uint8Array>): Promise<string>;
}

/** Returns the usual folder: below XDG_CACHE_HOME, else ~/.cache. */
export function usualCacheFolder(
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const base = environment["XDG_CACHE_HOME"] ?? "";
  const home = environment["HOME"] ?? homedir();
  return join(base.startsWith("/") ? base : join(home, ".cache"), "core-dump-handler", "modules");
}

/** Opens the cache; its folder is made for the first file. */
export function openModuleCache(folder: string): ModuleCache {
  return {
    folder,
    async find(id, artifact) {
      const place = join(folder, id);
      const names = await readdir(place).catch((): string[] => []);
      const wanted = names.filter((name) => name.startsWith(`${artifact}.`));
      return wanted.map((name) => join(place, name));
    },
    async keep(id, artifact, bytes) {
      const place = join(folder, id);
      await mkdir(place, { recursive: true, mode: 0o700 });
      const part = join(place, `.${crypto.randomUUID()}`);
      const file = await open(part, NEW_FILE, 0o600);
      try {
        const sha256 = await fill(file, bytes);
        const path = join(place, `${artifact}.${sha256}`);
        await rename(part, path);
        return path;
      } catch (error) {
        await unlink(part);
        throw error;
      } finally {
        await file.close();
      }
    },
  };
}

async function fill(file: FileHandle, bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  let position = 0;
  for await (const chunk of bytes) {
    hash.update(chunk);
    await writeFully(file, chunk, position);
    position += chunk.length;
  }
  await file.utimes(BEFORE_ANY_CRASH, BEFORE_ANY_CRASH);
  return hash.digest("hex");
}
