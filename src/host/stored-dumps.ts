// What lies in CORE_DIR, how large it is, and whose. A folder of many thousand dumps is looked at a few files at a
// time, so that whoever else works on this thread, such as a drain, goes on in between.
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
import type { StoredDump } from "../model/eviction.ts";
import { FIRST_ENTRY_ROOM_BYTES } from "../model/partial-layout.ts";
import { hashWorkload, workloadKey } from "../model/workload.ts";
import { readOwnerMark } from "./owner-mark.ts";

/** st_blocks counts these (stat(2)), whatever the filesystem's own block. */
const BLOCK_BYTES = 512;
/** Looked at in one go: less than a millisecond. */
const SLICE = 100;
/** Files between two collections: the peak of memory stays flat. */
const FILES_PER_COLLECTION = 4_000;
/** Each takes some 200 bytes of memory. Of more dumps only so many are told apart; a directory has no order. */
const DUMPS_MAX = 20_000;

export interface Survey {
  /** Of all files, foreign ones too. */
  usedBytes: number;
  /** Dumps that are being written. */
  underWay: number;
}

/** `visit` gets every regular file. */
async function survey(
  directory: string,
  visit: (name: string, path: string, found: Stats) => void = () => undefined,
): Promise<Survey> {
  const total: Survey = { usedBytes: 0, underWay: 0 };
  let seen = 0;
  for (const name of readdirSync(directory)) {
    if (++seen % SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
    if (seen % FILES_PER_COLLECTION === 0) Bun.gc(true);
    const path = join(directory, name);
    // Gone since the listing: delivered, published or evicted by another process.
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isFile() !== true) continue;
    total.usedBytes += found.blocks * BLOCK_BYTES;
    if (kindOfCoreFile(name) === "partial") total.underWay++;
    visit(name, path, found);
  }
  return total;
}

export async function measureStored(coreDir: string): Promise<Survey> {
  return survey(coreDir);
}

export async function listStored(coreDir: string): Promise<Survey & { dumps: StoredDump[] }> {
  const dumps: StoredDump[] = [];
  const names = new Map<string, string>();
  // Thousands of dumps share a few owners' names: each is kept once.
  const once = (text: string) => names.get(text) ?? (names.set(text, text), text);
  const total = await survey(coreDir, (name, path, found) => {
    const kind = kindOfCoreFile(name);
    if ((kind !== "dump" && kind !== "partial") || dumps.length >= DUMPS_MAX) return;
    const { namespace, workload } = readOwner(path, kind);
    dumps.push({
      name,
      sizeBytes: found.blocks * BLOCK_BYTES,
      modifiedMs: found.mtimeMs,
      namespace: once(namespace),
      workload: once(workload),
      evictable: kind === "dump",
    });
  });
  return { ...total, dumps };
}

/** Whose a finished dump is. Unknown for a zip that is not ours, or gone. */
export function readDumpOwner(path: string): DumpOwner {
  return readOwner(path, "dump");
}

/** Of a dump under way only its mark tells: its composer may not know it yet. */
function readOwner(path: string, kind: "dump" | "partial"): DumpOwner {
  const marked = readOwnerMark(path);
  if (marked !== undefined) return marked;
  const info = kind === "partial" ? undefined : readInfo(path);
  const key = info === undefined ? undefined : workloadOf(info);
  if (info === undefined || key === undefined)
    return { namespace: UNKNOWN_OWNER, workload: basename(path) };
  return { namespace: namespaceOwner(info), workload: hashWorkload(key) };
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

/** dump-info at the head of an open dump; undefined where there is none. */
export function readStoredInfo(fd: number): KnownInfo | undefined {
  return parseDumpHead(head.subarray(0, readSync(fd, head, 0, head.length, 0)));
}

/**
 * The workload in words, from dump-info, which does not hold the pod's labels: replicas count one by one.
 * undefined where it is no dump-info.
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
