// Checks that a dump can be written to CORE_DIR now, and how large it may be.
import { constants } from "node:fs";
import { open, statfs, unlink } from "node:fs/promises";
import { join } from "node:path";
import { measureRoom } from "../../host/disk-room.ts";
import { errnoOf } from "../../model/app-error.ts";
import { failed, failedBy, ok, warning, type CheckContext, type CheckResult } from "./check.ts";

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const PROBE_BYTES = 256 * 1024;
/** Less room than a real program's core needs. */
const LITTLE_BYTES = 256 * 2 ** 20;
/** The largest reserve as a part of a small filesystem, as in src/composer/disk-space.ts. */
const RESERVE_PART_MAX = 1 / 16;

/** Checks CORE_DIR's room. */
export async function checkSpace({ settings }: CheckContext): Promise<CheckResult> {
  const { CORE_DIR, composer } = settings;
  const room = `make room on the filesystem of ${CORE_DIR}, or set CORE_DIR to a larger one`;
  const problem = await writeProbe(CORE_DIR, room);
  if (problem !== undefined) return problem;
  const { bavail, blocks, bsize, ffree, files } = await statfs(CORE_DIR);
  const reserveBytes = Math.min(composer.DISK_RESERVE, blocks * bsize * RESERVE_PART_MAX);
  const leftBytes = bavail * bsize - reserveBytes;
  const left = `${(Math.max(0, leftBytes) / 2 ** 20).toFixed(0)} MiB`;
  if (leftBytes <= 0)
    return failed(
      `CORE_DIR ${CORE_DIR} is full: nothing is left above the reserve of ${(reserveBytes / 2 ** 20).toFixed(0)} MiB`,
      room,
    );
  const { roomBytes } = await measureRoom(CORE_DIR, {
    quota: composer.DISK_QUOTA,
    free: composer.DISK_FREE,
  });
  if (roomBytes <= 0)
    return warning(
      `CORE_DIR ${CORE_DIR} is at its limits: a new dump makes older ones give way`,
      `${room}; COMP_DISK_QUOTA and COMP_DISK_FREE set the limits`,
    );
  if (files > 0 && ffree < 100)
    return failed(`CORE_DIR ${CORE_DIR} has ${ffree} inodes left`, room);
  if (leftBytes < LITTLE_BYTES) return warning(`only ${left} left for dumps in ${CORE_DIR}`, room);
  return ok(`${left} left for dumps in ${CORE_DIR}`);
}

/** Writes and syncs a file, because free blocks do not show quotas, read-only remounts and broken disks. */
async function writeProbe(coreDir: string, room: string): Promise<CheckResult | undefined> {
  const path = join(coreDir, `.cdh-doctor-${crypto.randomUUID()}`);
  try {
    const file = await open(path, NEW_FILE, 0o600);
    try {
      await file.write(new Uint8Array(PROBE_BYTES));
      await file.sync();
    } finally {
      await file.close();
      await unlink(path);
    }
    return undefined;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOSPC") return failed(`CORE_DIR ${coreDir} is full`, room);
    if (errno === "EDQUOT") return failed(`the quota of CORE_DIR ${coreDir} is used up`, room);
    if (errno === "EROFS")
      return failed(
        `CORE_DIR ${coreDir} is on a read-only filesystem`,
        "set CORE_DIR to a writable one",
      );
    if (errno === "ENOENT")
      return failed(
        `CORE_DIR ${coreDir} does not exist`,
        "run core-dump-handler install, or start the agent",
      );
    return failedBy(error, room);
  }
}
