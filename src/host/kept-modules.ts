// The modules in CORE_DIR/modules: files that wait for the agent, and in stored/ the empty marks of those that the store
// has. A
// composer's child adds files, the agent turns them into marks, and both hold this folder's bounds: a module gives way to
// a core, and no namespace may fill the folder or the store.
import { constants, lstatSync, readdirSync, rmSync, type Stats } from "node:fs";
import { link, mkdir, open, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { errnoOf } from "../model/app-error.ts";
import { UNKNOWN_OWNER, type DumpOwner } from "../model/dump-owner.ts";
import {
  keptName,
  MODULES_FOLDER,
  parseKeptName,
  storedName,
  type ModuleIdentity,
} from "../model/module-id.ts";
import { markOwner, readOwnerMark } from "./owner-mark.ts";

const BLOCK_BYTES = 512;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const DAY_MS = 86_400_000;
/** What one namespace may add on one node in a day: a rollout of large programs needs a hundred files. */
const NAMESPACE_DAY_FILES = 1_000;
const NAMESPACE_DAY_BYTES = 8 * 2 ** 30;
/** Which part of the room for dumps all waiting modules may take, and which part of that one namespace's. */
const ROOM_PART = 1 / 2;
const NAMESPACE_PART = 1 / 2;
/** More files than any node needs; beyond, nothing new is kept until the agent has removed old ones. */
const FILES_MAX = 20_000;

/** A file of the folder. */
export interface KeptModule extends ModuleIdentity {
  path: string;
  /** True for the mark of a module that the store has. */
  isStored: boolean;
  /** The module's size; a mark keeps it as its length, without taking room. */
  sizeBytes: number;
  diskBytes: number;
  modifiedMs: number;
  /** As namespaceOwner (dump-owner.ts) has it. */
  namespace: string;
}

/** Returns the folder's path. */
export function modulesFolder(coreDir: string): string {
  return join(coreDir, MODULES_FOLDER);
}

/** Where the marks are: apart, because they may be thousands, and whoever measures need not look at them. */
function marksFolder(coreDir: string): string {
  return join(modulesFolder(coreDir), "stored");
}

/** Lists modules and marks, the oldest file first; empty where there is none. Leaves out unfinished files. */
export function listKeptModules(coreDir: string): KeptModule[] {
  return [modulesFolder(coreDir), marksFolder(coreDir)]
    .flatMap(listFolder)
    .toSorted((a, b) => a.modifiedMs - b.modifiedMs);
}

function listFolder(folder: string): KeptModule[] {
  return namesIn(folder).flatMap((name): KeptModule[] => {
    const parsed = parseKeptName(name);
    const path = join(folder, name);
    const found = parsed === undefined ? undefined : statFile(path);
    if (parsed === undefined || found === undefined) return [];
    return [
      {
        ...parsed,
        path,
        sizeBytes: found.size,
        diskBytes: found.blocks * BLOCK_BYTES,
        modifiedMs: found.mtimeMs,
        namespace: readOwnerMark(path)?.namespace ?? UNKNOWN_OWNER,
      },
    ];
  });
}

/** Returns what all files of the folder take on the disk, unfinished ones included. */
export function modulesDiskBytes(coreDir: string): number {
  const folder = modulesFolder(coreDir);
  return namesIn(folder).reduce(
    (sum, name) => sum + (statFile(join(folder, name))?.blocks ?? 0) * BLOCK_BYTES,
    0,
  );
}

/** Returns whether this node has the module, or knows that the store has it. */
export function isKept(coreDir: string, identity: ModuleIdentity): boolean {
  const places = [
    join(modulesFolder(coreDir), keptName(identity)),
    join(marksFolder(coreDir), storedName(identity)),
  ];
  return places.some((path) => statFile(path) !== undefined);
}

/** Returns why a module of this namespace cannot be kept now; undefined where it can. roomBytes: CORE_DIR's. */
export function whyNoRoom(
  kept: readonly KeptModule[],
  { namespace, sizeBytes, roomBytes }: { namespace: string; sizeBytes: number; roomBytes: number },
  nowMs: number,
): string | undefined {
  if (kept.length >= FILES_MAX) return `this node knows ${FILES_MAX} modules already`;
  const waiting = kept.filter(({ isStored }) => !isStored);
  const bytesOf = (modules: readonly KeptModule[]) =>
    modules.reduce((sum, module) => sum + module.sizeBytes, 0);
  const mayTakeBytes = (roomBytes + bytesOf(waiting)) * ROOM_PART;
  if (bytesOf(waiting) + sizeBytes > mayTakeBytes) return "CORE_DIR has no room for it";
  const own = kept.filter((module) => module.namespace === namespace);
  const ownWaiting = bytesOf(own.filter(({ isStored }) => !isStored));
  if (ownWaiting + sizeBytes > mayTakeBytes * NAMESPACE_PART)
    return "its namespace has too much waiting here";
  const today = own.filter(({ modifiedMs }) => nowMs - modifiedMs < DAY_MS);
  if (today.length >= NAMESPACE_DAY_FILES || bytesOf(today) + sizeBytes > NAMESPACE_DAY_BYTES)
    return "its namespace added too many modules within a day";
  return undefined;
}

/** A module's file under way. */
export interface NewModule {
  write(block: Uint8Array, position: number): Promise<void>;
  /** Gives the file its name. It is no error where another process was quicker. */
  publish(identity: ModuleIdentity): Promise<void>;
  /** Removes what was written, unless it was published; closes the file. */
  end(): Promise<void>;
}

/** Begins a file of mode 0600. Throws the system's error. */
export async function createModule(coreDir: string, owner: DumpOwner): Promise<NewModule> {
  const folder = modulesFolder(coreDir);
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if (errnoOf(error) !== "EEXIST") throw error;
  });
  const path = join(folder, `.${crypto.randomUUID()}.part`);
  const file = await open(path, NEW_FILE, 0o600);
  markOwner(file.fd, owner);
  return {
    async write(block, position) {
      for (let done = 0; done < block.length;) {
        const left = block.length - done;
        const { bytesWritten } = await file.write(block, done, left, position + done);
        done += bytesWritten;
      }
    },
    async publish(identity) {
      await file.sync();
      await link(path, join(folder, keptName(identity))).catch((error: unknown) => {
        if (errnoOf(error) !== "EEXIST") throw error;
      });
    },
    async end() {
      await file.close();
      await unlink(path);
    },
  };
}

/** Turns a module's file into the mark that the store has it. */
export async function markStored(coreDir: string, module: KeptModule): Promise<void> {
  await mkdir(marksFolder(coreDir), { recursive: true, mode: 0o700 });
  const path = join(marksFolder(coreDir), storedName(module));
  const file = await open(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    markOwner(file.fd, { namespace: module.namespace, workload: "module" });
    await file.truncate(module.sizeBytes);
    const now = new Date();
    await file.utimes(now, now);
  } finally {
    await file.close();
  }
  rmSync(module.path, { force: true });
}

/** Removes waiting modules, the oldest of the namespace with the most first, until neededBytes are free or none is left. */
export function dropModules(coreDir: string, neededBytes: number): KeptModule[] {
  const waiting = listKeptModules(coreDir).filter(({ isStored }) => !isStored);
  const bytes = new Map<string, number>();
  for (const { namespace, diskBytes } of waiting)
    bytes.set(namespace, (bytes.get(namespace) ?? 0) + diskBytes);
  const dropped: KeptModule[] = [];
  for (let freed = 0; freed < neededBytes && dropped.length < waiting.length;) {
    const [largest = ""] = [...bytes].toSorted((a, b) => b[1] - a[1])[0] ?? [];
    const next = waiting.find(
      (module) => module.namespace === largest && !dropped.includes(module),
    );
    if (next === undefined) {
      bytes.delete(largest);
      continue;
    }
    rmSync(next.path, { force: true });
    dropped.push(next);
    bytes.set(largest, (bytes.get(largest) ?? 0) - next.diskBytes);
    freed += next.diskBytes;
  }
  return dropped;
}

/** Removes marks that are older than marksMs, and unfinished files that nobody has written to for partsMs. */
export function forgetOldModules(coreDir: string, marksMs: number, partsMs: number): void {
  const nowMs = Date.now();
  const paths = [modulesFolder(coreDir), marksFolder(coreDir)].flatMap((folder) =>
    namesIn(folder).map((name) => join(folder, name)),
  );
  for (const path of paths) {
    const name = basename(path);
    const found = statFile(path);
    if (found === undefined) continue;
    const ageMs = nowMs - found.mtimeMs;
    const isOld = name.endsWith(".part")
      ? ageMs > partsMs
      : parseKeptName(name)?.isStored === true && (ageMs > marksMs || ageMs < 0);
    if (isOld) rmSync(path, { force: true });
  }
}

/** Removes the folder with all that is in it: copies, of which the store has what was delivered. */
export function removeModules(coreDir: string): void {
  rmSync(modulesFolder(coreDir), { recursive: true, force: true });
}

function namesIn(folder: string): string[] {
  try {
    return lstatSync(folder).isDirectory() ? readdirSync(folder) : [];
  } catch {
    return [];
  }
}

function statFile(path: string): Stats | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true ? found : undefined;
}
