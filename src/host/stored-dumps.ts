// Lists the files of CORE_DIR with their sizes and owners. Looks at a few files at a time in a folder of many
// thousands, so that other work on this thread, such as a drain, continues in between.
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readSync,
  readdirSync,
  type Stats,
} from "node:fs";
import { basename, join } from "node:path";
import { kindOfCoreFile } from "../model/core-file.ts";
import { parseDumpHead } from "../model/dump-head.ts";
import type { KnownInfo } from "../model/dump-info.ts";
import { namespaceOwner, UNKNOWN_OWNER, type DumpOwner } from "../model/dump-owner.ts";
import type { KeptDump } from "../model/eviction.ts";
import { FIRST_ENTRY_ROOM_BYTES } from "../model/partial-layout.ts";
import { hashWorkload, workloadKey } from "../model/workload.ts";
import { readOwnerMark } from "./owner-mark.ts";

/** The unit of st_blocks, whatever the filesystem's own block is (stat(2)). */
const BLOCK_BYTES = 512;
/** How many files are looked at in one go, which takes less than a millisecond. */
const SLICE = 100;
/** How many files are looked at between two garbage collections, which keeps the peak of memory flat. */
const FILES_PER_COLLECTION = 4_000;
/**
 * How many dumps are listed; each takes some 200 bytes of memory. Which ones are left out is arbitrary, because a
 * directory has no order.
 */
const DUMPS_MAX = 20_000;

/** What CORE_DIR holds. */
export interface Survey {
  /** The bytes that all files use on the disk, foreign ones included. */
  usedBytes: number;
  /** How many dumps composers are writing. */
  underWay: number;
  /** The bytes of spools among them; they come free soon. */
  spoolBytes: number;
}

/** Looks at every file and calls `visit` for each regular one. */
async function survey(
  directory: string,
  visit: (name: string, path: string, found: Stats) => void = () => undefined,
): Promise<Survey> {
  const total: Survey = { usedBytes: 0, underWay: 0, spoolBytes: 0 };
  let seen = 0;
  for (const name of readdirSync(directory)) {
    if (++seen % SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
    if (seen % FILES_PER_COLLECTION === 0) Bun.gc(true);
    const path = join(directory, name);
    // The file may have vanished since the listing: another process delivered, published or evicted it.
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isFile() !== true) continue;
    total.usedBytes += found.blocks * BLOCK_BYTES;
    const kind = kindOfCoreFile(name);
    if (kind === "partial") total.underWay++;
    if (kind === "spool") total.spoolBytes += found.blocks * BLOCK_BYTES;
    visit(name, path, found);
  }
  return total;
}

/** Measures CORE_DIR without reading the owners of dumps. */
export async function measureStored(coreDir: string): Promise<Survey> {
  return survey(coreDir);
}

/** Measures CORE_DIR and lists its dumps with their owners. */
export async function listStored(coreDir: string): Promise<Survey & { dumps: KeptDump[] }> {
  const dumps: KeptDump[] = [];
  const names = new Map<string, string>();
  // Keeps each owner's name once, because thousands of dumps share a few of them.
  const once = (text: string) => names.get(text) ?? (names.set(text, text), text);
  const total = await survey(coreDir, (name, path, found) => {
    const kind = kindOfCoreFile(name);
    if (kind !== "dump" && kind !== "partial" && kind !== "spool") return;
    if (dumps.length >= DUMPS_MAX) return;
    const { namespace, workload, priority } = readOwner(path, kind);
    dumps.push({
      name,
      sizeBytes: found.blocks * BLOCK_BYTES,
      modifiedMs: found.mtimeMs,
      namespace: once(namespace),
      workload: once(workload),
      ...(priority === undefined ? {} : { priority }),
      evictable: kind === "dump",
    });
  });
  return { ...total, dumps };
}

/**
 * Returns a finished dump's owner, from its mark or its dump-info; UNKNOWN_OWNER for another program's zip and for one
 * that does not exist.
 */
export function readDumpOwner(path: string): DumpOwner {
  return readOwner(path, "dump");
}

/** Reads an owner. Uses only the mark for a dump under way, whose composer may not know the owner yet. */
function readOwner(path: string, kind: "dump" | "partial" | "spool"): DumpOwner {
  const marked = readOwnerMark(path);
  if (marked !== undefined) return marked;
  const info = kind === "dump" ? readInfo(path) : undefined;
  const key = info === undefined ? undefined : workloadOf(info);
  if (info === undefined || key === undefined)
    return { namespace: UNKNOWN_OWNER, workload: basename(path) };
  const owner = { namespace: namespaceOwner(info), workload: hashWorkload(key) };
  const { priority } = info;
  return priority === "low" || priority === "high" ? { ...owner, priority } : owner;
}

const head = Buffer.alloc(FIRST_ENTRY_ROOM_BYTES);

function readInfo(path: string): KnownInfo | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    return readStoredInfo(fd);
  } finally {
    closeSync(fd);
  }
}

/** Reads dump-info from the head of an open dump; undefined where there is none. */
export function readStoredInfo(fd: number): KnownInfo | undefined {
  return parseDumpHead(head.subarray(0, readSync(fd, head, 0, head.length, 0)));
}

/**
 * Returns the workload's key from dump-info; undefined where the info lacks it. dump-info does not hold the pod's
 * labels, so each replica counts as its own workload.
 */
export function workloadOf(info: KnownInfo): string | undefined {
  const executable = info.path ?? info.exe;
  if (executable === undefined) return undefined;
  return workloadKey({
    namespace: info.namespace ?? null,
    podname: info.podname ?? null,
    labels: {},
    container: info.container_name ?? null,
    executable,
    signal: info.signal ?? "",
  });
}
