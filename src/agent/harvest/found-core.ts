// One core file that was found. The harvest looks at it before it opens it, and then holds it, because an unlinked
// file stays readable. It leaves the file while any process writes it, and removes only the same file that it found.
// The file's maker may be hostile.
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  readSync,
  type BigIntStats,
} from "node:fs";
import { findWriters, openEntry, openFound, removeEntry } from "../../host/confined-files.ts";
import { tryLock } from "../../host/libc.ts";
import { errnoOf } from "../../model/app-error.ts";
import { parseCoreFileName, type CoreFileName } from "../../model/core-file-pattern.ts";
import { ElfCoreReader } from "../../model/core-extent.ts";
import type { ContainerRecord } from "./containers.ts";
import { openSpot, type Spot } from "./spots.ts";

/** A core file. */
export interface FoundCore {
  spot: Spot;
  /**
   * The containers that it may belong to, as they were when it was found, because they may have ended when it is
   * zipped.
   */
  owners: readonly ContainerRecord[];
  name: Buffer;
  facts: CoreFileName;
  /** The file, opened with O_PATH. */
  fd: number;
  /** Device, inode and time of birth, which identify the file whatever its name is, and no later file. */
  key: string;
}

/** What a name in a spot is. */
export type SpotEntry =
  | { kind: "core"; core: FoundCore }
  | { kind: "gone" }
  | { kind: "refused"; key: string; why: string };

/** Where the filesystem does not tell who writes, a file counts as finished when nothing was written for so many ms. */
const QUIET_MS = 10_000;
/** Program headers of the largest core that has no PN_XNUM: 65,534 of 56 bytes. */
const HEADERS_MAX_BYTES = 4 * 2 ** 20;
const BLOCK_BYTES = 64 * 1024;
const ELF_MAGIC = Buffer.from("\x7fELF", "latin1");
const ELF_HEADER_BYTES = 64;

/** Looks at a name in an open spot. The caller closes the core that it returns. */
export function findCore(spot: Spot, directory: number, name: Buffer): SpotEntry {
  let fd: number;
  try {
    fd = openEntry(directory, name, "any");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return { kind: "gone" };
    throw error;
  }
  const found = fstatSync(fd, { bigint: true });
  const key = keyOf(fd);
  const facts = parseCoreFileName(name.toString());
  const why = oddity(found) ?? (facts === undefined ? "its name is not the pattern's" : undefined);
  if (why === undefined && facts !== undefined)
    return {
      kind: "core",
      core: { spot, owners: [...spot.owners.values()], name, facts, fd, key },
    };
  closeSync(fd);
  return { kind: "refused", key, why: why ?? "" };
}

/**
 * Returns why a file cannot be the kernel's, which makes regular files with one name (fs/coredump.c); undefined where
 * it can be.
 */
function oddity(found: BigIntStats): string | undefined {
  if (found.isSymbolicLink()) return "it is a symbolic link";
  if (found.isFIFO()) return "it is a FIFO";
  if (found.isDirectory()) return "it is a directory";
  if (!found.isFile()) return "it is a device or a socket";
  return found.nlink > 1n ? `it has ${found.nlink} names` : undefined;
}

/** Whether a core can be zipped. */
export type CoreReadiness =
  /** An open, locked descriptor to read from the beginning; the caller closes it. */
  | { kind: "ready"; input: number }
  | { kind: "being_written" }
  /** Another agent was zipping it when this one found it, and has emptied and removed it. */
  | { kind: "gone" }
  | { kind: "refused"; why: string };

/** Opens the core for its composer if no process writes it any more. */
export function openWhenFinished({ fd }: FoundCore, nowMs = Date.now()): CoreReadiness {
  const input = openFound(fd);
  try {
    // The composer inherits the lock with the descriptor, so a core whose composer outlived its agent gets no second
    // composer.
    const finished = isFinished(input, nowMs) && tryLock(input);
    const why = finished ? oddContent(input) : undefined;
    const { size, nlink } = fstatSync(input);
    const isGone = finished && size === 0 && nlink === 0;
    if (finished && why === undefined && !isGone) return { kind: "ready", input };
    closeSync(input);
    if (isGone) return { kind: "gone" };
    return why === undefined ? { kind: "being_written" } : { kind: "refused", why };
  } catch (error) {
    closeSync(input);
    throw error;
  }
}

function isFinished(input: number, nowMs: number): boolean {
  const writers = findWriters(input);
  if (writers !== "unknown") return writers === "none";
  return fstatSync(input).mtimeMs < nowMs - QUIET_MS;
}

/**
 * Returns why the content is not the kernel's; undefined for a core. A core may be cut short. The kernel never makes
 * one that is longer than its headers say, or a file that is no ELF core.
 */
function oddContent(input: number): string | undefined {
  const { size } = fstatSync(input);
  const reader = new ElfCoreReader();
  const block = Buffer.alloc(BLOCK_BYTES);
  let position = 0;
  while (position < Math.min(size, HEADERS_MAX_BYTES) && reader.expectedBytes === null) {
    const count = readSync(input, block, 0, block.length, position);
    if (count === 0) break;
    if (
      position === 0 &&
      !ELF_MAGIC.subarray(0, count).equals(block.subarray(0, Math.min(count, 4)))
    )
      return "it is no ELF core";
    reader.push(block.subarray(0, count));
    position += count;
    if (position >= ELF_HEADER_BYTES && reader.format === "unknown") return "it is no ELF core";
  }
  const expected = reader.expectedBytes;
  if (expected !== null && size > expected) return "it is longer than its own headers say";
  return undefined;
}

/**
 * Removes the core if it still has its name, and empties it, so that its space is free even if a process has it open.
 * Called when its zip is published.
 */
export function removeCore({ spot, name, fd, key }: FoundCore): void {
  const writable = openFound(fd, constants.O_WRONLY);
  try {
    // Checks the descriptor again, so that a programming error cannot empty another file.
    if (keyOf(writable) !== key) throw new Error("the descriptor is another file's");
    ftruncateSync(writable, 0);
  } finally {
    closeSync(writable);
  }
  const directory = openSpot(spot);
  if (directory === undefined) return;
  try {
    if (isStill(directory, name, key)) removeEntry(directory, name);
  } finally {
    closeSync(directory);
  }
}

function isStill(directory: number, name: Buffer, key: string): boolean {
  try {
    const fd = openEntry(directory, name, "any");
    const found = keyOf(fd);
    closeSync(fd);
    return found === key;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

function keyOf(fd: number): string {
  const { dev, ino, birthtimeNs } = fstatSync(fd, { bigint: true });
  return `${dev}:${ino}:${birthtimeNs}`;
}

/** Returns whether the file has no name any more, so that only this process's descriptor keeps it. */
export function isUnlinked({ fd }: FoundCore): boolean {
  return fstatSync(fd).nlink === 0;
}
