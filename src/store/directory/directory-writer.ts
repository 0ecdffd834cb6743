// The writing half for a directory: a share that is mounted on the node (STORE_URL=file:///mnt/share). Copies a dump
// to a hidden file, syncs it, and links it to its name, which never replaces another file. Never makes the directory
// itself, because a missing one means that the share is not mounted.
import { constants, type Stats } from "node:fs";
import { lstat, mkdir, open, rename, unlink, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeFile, syncDirectoriesUpTo } from "../../host/files.ts";
import { moveByLink } from "../../host/publication.ts";
import { errnoOf } from "../../model/app-error.ts";
import type { Dump, Presence, Proof, Receipt, StoreProbe, StoreWriter } from "../store-port.ts";
import { digestRange } from "../range-digest.ts";
import { explained, local, named, watchMount } from "./share.ts";
import { failureOf, StoreError } from "../store-error.ts";
import { stallGuard, type StallGuard } from "../stall-guard.ts";

const BLOCK_BYTES = 1 << 20;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** The proof that this process made and synced a copy under a free name. */
const SYNCED = "synced";
const MD5_ONLY = { sha256: false, crc32: false };

/** Opens the store at a file:/// URL. A call that takes longer than timeoutMs counts as a share that has gone. */
export function openDirectoryWriter(storeUrl: string, timeoutMs: number): StoreWriter {
  const root = fileURLToPath(storeUrl).replace(/\/+$/, "");
  const guard = stallGuard(root, timeoutMs);
  const mount = watchMount(root);
  /** Runs a step that concerns a dump's name on the share. */
  const naming = <T>(key: string, step: () => Promise<T>) =>
    named({ root, key, look: () => guard(mount) }, () => guard(step));

  async function examine(
    key: string,
    dump: Dump,
    proof: Proof | undefined,
    signal: AbortSignal,
  ): Promise<Presence> {
    const path = join(root, key);
    return explained(root, `look at ${key}`, async () => {
      await guard(mount);
      const there = await naming(key, () => statOrNothing(path));
      if (there === undefined) return "absent";
      if (!there.isFile() || there.size !== dump.sizeBytes) return "different";
      if (proof === SYNCED) return "same";
      const digest = (file: string) => digestRange(file, 0, dump.sizeBytes, MD5_ONLY, signal);
      const [ours, theirs] = await Promise.all([
        local(dump.path, () => digest(dump.path)),
        guard(() => digest(path), dump.sizeBytes),
      ]);
      if (!Bun.deepEquals(ours.md5, theirs.md5)) return "different";
      // The writer may not have synced the file, such as an earlier attempt that was killed.
      await guard(() => syncFile(path), dump.sizeBytes);
      await guard(() => syncDirectoriesUpTo(root, dirname(path)));
      return "same";
    });
  }

  async function put(
    key: string,
    dump: Dump,
    _replaces: boolean,
    signal: AbortSignal,
  ): Promise<Receipt> {
    const path = join(root, key);
    const hidden = join(dirname(path), `.cdh-${dump.deliveryId}.part`);
    return explained(root, `copy ${key}`, async () => {
      const before = await guard(mount);
      if (dirname(path) !== root)
        await naming(key, () => mkdir(dirname(path), { recursive: true, mode: 0o750 }));
      // An earlier, killed attempt left this file: the id is random, and this process holds the dump's lock.
      await guard(() => removeFile(hidden));
      try {
        await copy(dump, hidden, guard, signal);
        const now = await guard(mount);
        if (now.dev !== before.dev || now.ino !== before.ino)
          throw new StoreError("away", `${root} was unmounted while ${key} was copied`);
        await naming(key, () => publish(hidden, path));
        // This attempt or an earlier, killed one may have made the folders, so they are synced too.
        await guard(() => syncDirectoriesUpTo(root, dirname(path)));
      } finally {
        await guard(() => removeFile(hidden)).catch(() => false);
      }
      return { proof: SYNCED, isNeededLater: false, isSufficient: true };
    });
  }

  async function mark(key: string): Promise<"made" | "exists"> {
    const path = join(root, key);
    return explained(root, `write ${key}`, async () => {
      await guard(mount);
      try {
        await naming(key, async () => {
          await mkdir(dirname(path), { recursive: true, mode: 0o750 });
          await claim(path);
        });
        return "made";
      } catch (error) {
        if (failureOf(error) === "exists") return "exists";
        throw error;
      }
    });
  }

  const name = `directory ${root}`;

  async function probe(): Promise<StoreProbe> {
    const hidden = join(root, `.cdh-doctor-${crypto.randomUUID()}`);
    try {
      await explained(root, "write a file", async () => {
        await guard(mount);
        await guard(async () => (await open(hidden, NEW_FILE, 0o600)).close());
        await guard(() => removeFile(hidden));
      });
      return { name, failure: undefined, aheadMs: undefined };
    } catch (failure) {
      return { name, failure, aheadMs: undefined };
    }
  }

  const rightsToLook = "rights to read the share";
  return { name, rightsToLook, multipart: undefined, examine, put, mark, probe, close: () => {} };
}

async function statOrNothing(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function copy(
  dump: Dump,
  hidden: string,
  guard: StallGuard,
  signal: AbortSignal,
): Promise<void> {
  const source = await local(dump.path, () =>
    open(dump.path, constants.O_RDONLY | constants.O_NOFOLLOW),
  );
  let target: FileHandle | undefined;
  try {
    target = await guard(() => open(hidden, NEW_FILE, 0o600));
    const out = target;
    const block = new Uint8Array(BLOCK_BYTES);
    let copiedBytes = 0;
    for (;;) {
      if (signal.aborted) throw new StoreError("aborted", "the copy was stopped");
      const { bytesRead } = await local(dump.path, () =>
        source.read(block, 0, block.length, copiedBytes),
      );
      if (bytesRead === 0) break;
      for (let written = 0; written < bytesRead;) {
        const { bytesWritten } = await guard(() =>
          out.write(block, written, bytesRead - written, copiedBytes + written),
        );
        written += bytesWritten;
      }
      copiedBytes += bytesRead;
    }
    if (copiedBytes !== dump.sizeBytes)
      throw new StoreError(
        "unverified",
        `${dump.path} gave ${copiedBytes} bytes of ${dump.sizeBytes}`,
      );
    await guard(() => out.sync(), dump.sizeBytes);
  } finally {
    await source.close();
    const out = target;
    if (out !== undefined) await guard(() => out.close());
  }
}

/** Gives the file its name. Throws StoreError "exists" where the name is taken. */
async function publish(hidden: string, path: string): Promise<void> {
  const moved = await moveByLink(hidden, path);
  if (moved === "taken") throw taken(path);
  if (moved === "moved") return;
  // Other nodes write to the share, too, where a lock of ours may mean nothing: claim the name, then rename over the
  // claim.
  await claim(path);
  try {
    await rename(hidden, path);
  } catch (failure) {
    await unlink(path);
    throw failure;
  }
}

async function claim(path: string): Promise<void> {
  try {
    await (await open(path, NEW_FILE, 0o600)).close();
  } catch (error) {
    throw errnoOf(error) === "EEXIST" ? taken(path, error) : error;
  }
}

function taken(path: string, cause?: unknown): StoreError {
  return new StoreError("exists", `${path} exists already`, { cause });
}
