// One module into the store: at debuginfod's key for its build-id, never over another file. Where one of the same
// build-id but other content stands there, a program gets a key of its own beside it.
import { lstat } from "node:fs/promises";
import type { Log } from "../../host/log.ts";
import { moduleKey, rivalKey, type Artifact, type ModuleIdentity } from "../../model/module-id.ts";
import { failureOf, StoreError } from "../../store/store-error.ts";
import type { StoreReader, StoreWriter } from "../../store/store-port.ts";
import { newJournal } from "../delivery/journal.ts";
import { releaseUploads } from "../delivery/multipart-upload.ts";
import { deliverTo } from "../delivery/upload.ts";
import { compareModule } from "./same-module.ts";

/** A file to store. */
export interface ModuleUpload extends ModuleIdentity {
  path: string;
  sizeBytes: number;
  artifact: Artifact;
}

/** Where to. */
export interface ModuleStore {
  writer: StoreWriter;
  reader: StoreReader;
  /** Empty, or ends in a slash. */
  prefix: string;
  log: Log;
  signal: AbortSignal;
}

/** What became of it. `key` is where it is now. */
export interface StoredModule {
  /** "beside": another file of this build-id was there first. */
  kind: "stored" | "beside";
  key: string;
}

/** Stores the file, or finds it there. Throws StoreError; "exists" for debug information where another file stands. */
export async function storeModule(module: ModuleUpload, store: ModuleStore): Promise<StoredModule> {
  const { prefix, reader } = store;
  const usual = moduleKey(prefix, module.id, module.artifact);
  if ((await put(module, usual, store)) === "delivered") return { kind: "stored", key: usual };
  const there = await compareModule(reader, usual, module);
  if (there === "same") return { kind: "stored", key: usual };
  if (module.artifact !== "executable")
    throw new StoreError("exists", `${usual} is another file of this build id`);
  // Who may write and not look cannot tell; the key with the digest in it is right in any case.
  const key = rivalKey(prefix, module);
  const isTaken = (await put(module, key, store)) === "taken";
  if (isTaken && (await compareModule(reader, key, module)) === "other")
    throw new StoreError("exists", `${key} holds another file than its name says`);
  return { kind: there === "other" ? "beside" : "stored", key };
}

async function put(
  module: ModuleUpload,
  key: string,
  { writer, log, signal }: ModuleStore,
): Promise<"delivered" | "taken"> {
  const found = await lstat(module.path);
  const identity = { sizeBytes: found.size, mtimeMs: found.mtimeMs, inode: found.ino };
  // What is left of an interrupted upload is not worth a file: it begins anew.
  const journal = newJournal(identity, key);
  const dump = {
    path: module.path,
    sizeBytes: found.size,
    deliveryId: journal.deliveryId,
    labels: { facts: { digest: module.sha256 }, tags: {} },
  };
  const save = () => Promise.resolve();
  try {
    return await deliverTo(key, { store: writer, dump, journal, save, log, signal });
  } catch (error) {
    if (failureOf(error) !== undefined && writer.multipart !== undefined && !signal.aborted)
      await releaseUploads(journal, writer.multipart, { log, signal }).catch(() => false);
    throw error;
  }
}
