// `keep-modules`: identifies the files behind the descriptors that a composer left it, answers with a line for each, and,
// when told that the dump is published, copies the new ones into CORE_DIR/modules. A file may block for ever: this
// process ends by its clock then, and holds nothing that others wait for.
import { closeSync, constants, fstatSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { ComposerLog } from "../../host/composer-log.ts";
import { measureRoom } from "../../host/disk-room.ts";
import { createModule, isKept, listKeptModules, whyNoRoom } from "../../host/kept-modules.ts";
import { tryLock } from "../../host/libc.ts";
import { digestModule, READ_MODULE, readModuleHead } from "../../host/module-file.ts";
import { within } from "../../host/timer.ts";
import { describeError } from "../../model/app-error.ts";
import type { DumpOwner } from "../../model/dump-owner.ts";
import { moduleTurnLock } from "../../model/host-file.ts";
import { isModuleId, moduleIdOf, type ModuleIdentity } from "../../model/module-id.ts";
import { ALL_ANSWERED, type ModuleAnswer } from "../../model/module-list.ts";
import { bytesAboveReserve } from "../disk-space.ts";
import { FIRST_FILE_FD, parseKeepOrder, parseKeepOwner, type KeepOrder } from "./keep-order.ts";

/** How long one file may keep the others waiting, in ms; a large one needs a second. */
const FILE_MAX_MS = 5_000;
/** How long the copying may take in all, in ms. */
const COPY_MAX_MS = 120_000;
/** How long to wait for another copying of the same namespace, in ms. */
const TURN_MAX_MS = 2_000;
const TURN_STEP_MS = 50;
/** What copying leaves of the room above the reserve, in bytes. */
const SPARE_BYTES = 16 << 20;

const LOCK_FILE = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

/** A module that may have to be copied. */
interface NewModuleFile {
  file: FileHandle;
  identity: ModuleIdentity;
  sizeBytes: number;
}

/** Runs the process. Returns the exit code. Throws for a bad order. */
export async function runKeepModules([text = ""]: readonly string[]): Promise<number> {
  const order = parseKeepOrder(text);
  const fresh: NewModuleFile[] = [];
  for (let index = 0; index < order.files; index++) {
    const late = (): ModuleAnswer => ({
      index,
      module: leftOut("its file system does not answer"),
    });
    const identified = identify(index, order, fresh).catch((error: unknown): ModuleAnswer => ({
      index,
      module: leftOut(describeError(error)),
    }));
    answer(JSON.stringify(await within(identified, FILE_MAX_MS, late)));
  }
  answer(ALL_ANSWERED);
  const owner = await readOwner();
  if (owner === undefined || fresh.length === 0) return 0;
  const log = new ComposerLog(order.hostDir, order.uuid);
  const ended = await within(copyInTurn(fresh, owner, order, log), COPY_MAX_MS, () => "late");
  if (ended === "late")
    log.milestone("warn", "modules_left_out", {
      count: fresh.length,
      why: "copying takes too long",
    });
  return 0;
}

function answer(line: string): void {
  process.stdout.write(`${line}\n`);
}

function leftOut(why: string, known: Partial<NonNullable<ModuleAnswer["module"]>> = {}) {
  return { id: null, build_id: null, sha256: null, size_bytes: 0, ...known, left_out: why };
}

/** Opens anew the file whose place the descriptor holds (O_PATH), if it is a regular one. */
async function identify(
  index: number,
  { maxBytes, coreDir }: KeepOrder,
  fresh: NewModuleFile[],
): Promise<ModuleAnswer> {
  const fd = FIRST_FILE_FD + index;
  if (!fstatSync(fd).isFile()) return { index, module: null };
  const file = await open(`/proc/self/fd/${fd}`, READ_MODULE);
  closeSync(fd);
  const { size } = await file.stat();
  const head = await readModuleHead(file, size);
  if (head === undefined) {
    await file.close();
    return { index, module: null };
  }
  const { buildId } = head;
  const known = { build_id: buildId, size_bytes: size };
  const refuse = async (why: string): Promise<ModuleAnswer> => {
    await file.close();
    const id = buildId !== null && isModuleId(buildId) ? buildId : null;
    return { index, module: leftOut(why, { ...known, id }) };
  };
  if (size > maxBytes) return refuse(`it has ${size} bytes, more than COMP_MODULE_MAX_SIZE`);
  if (head.isCut) return refuse("it is shorter than its own headers say");
  const sha256 = await digestModule(file, size);
  const identity = { id: moduleIdOf(buildId, sha256), sha256 };
  if (isKept(coreDir, identity)) await file.close();
  else fresh.push({ file, identity, sizeBytes: size });
  return { index, module: { ...known, ...identity, left_out: null } };
}

/** The composer's word that the dump is published; undefined where it ended without it. */
async function readOwner(): Promise<DumpOwner | undefined> {
  const line = (await Bun.stdin.text()).trim();
  return line === "" ? undefined : parseKeepOwner(line);
}

/** One copying a turn; namespaces share the turns, so that one whose files block stops few others. */
async function copyInTurn(
  fresh: readonly NewModuleFile[],
  owner: DumpOwner,
  order: KeepOrder,
  log: ComposerLog,
): Promise<string> {
  const lock = await open(join(order.hostDir, moduleTurnLock(owner.namespace)), LOCK_FILE, 0o600);
  for (let waitedMs = 0; !tryLock(lock.fd); waitedMs += TURN_STEP_MS) {
    if (waitedMs >= TURN_MAX_MS) {
      const why = "other modules of its namespace are being copied; the next crash will do it";
      log.milestone("info", "modules_left_out", { count: fresh.length, why });
      return "busy";
    }
    await Bun.sleep(TURN_STEP_MS);
  }
  let [kept, keptBytes] = [0, 0];
  const refused: string[] = [];
  for (const module of fresh) {
    const why = await copy(module, owner, order).catch(describeError);
    if (why !== undefined) {
      refused.push(why);
      continue;
    }
    kept++;
    keptBytes += module.sizeBytes;
  }
  if (kept > 0) log.detail("info", "modules_kept", { count: kept, bytes: keptBytes });
  const [why] = refused;
  if (why !== undefined) log.milestone("warn", "modules_left_out", { count: refused.length, why });
  await lock.close();
  return "done";
}

/** Returns why it was not copied; undefined where it was, or was known meanwhile. */
async function copy(
  { file, identity, sizeBytes }: NewModuleFile,
  owner: DumpOwner,
  { coreDir, quota, free, reserveBytes }: KeepOrder,
): Promise<string | undefined> {
  if (isKept(coreDir, identity)) return undefined;
  const { roomBytes } = await measureRoom(coreDir, { quota, free });
  const aboveReserve = (await bytesAboveReserve(coreDir, reserveBytes)) - SPARE_BYTES;
  const room = Math.min(roomBytes, aboveReserve);
  const wish = { namespace: owner.namespace, sizeBytes, roomBytes: room };
  const refusal = whyNoRoom(listKeptModules(coreDir), wish, Date.now());
  if (refusal !== undefined) return refusal;
  const target = await createModule(coreDir, owner);
  try {
    const sha256 = await digestModule(file, sizeBytes, (block, at) => target.write(block, at));
    if (sha256 !== identity.sha256) return "it changed while it was copied";
    await target.publish(identity);
    return undefined;
  } finally {
    await target.end();
  }
}
