// A core in a finished file, whose process has ended. Reads from the core's notes what the file's name does not tell.
import { closeSync, fstatSync, readSync } from "node:fs";
import { oneLine } from "../model/printable.ts";
import { parseCoreNotes } from "../model/core-notes.ts";
import { corenameText } from "../model/corename.ts";
import type { CrashContext } from "../model/crash-context.ts";
import type { DumpInfo } from "../model/dump-info.ts";
import type { DrainEnd } from "./core-drain.ts";
import type { FileSource } from "../model/composer-invocation.ts";
import { identifyGone, parseKnown, type GoneCrasher } from "./metadata/gone-crasher.ts";

/** The file and what is known about its crash. */
export interface CoreFile {
  crash: CrashContext;
  gone: GoneCrasher;
  nodeName: string | undefined;
  sizeBytes: number;
  /** As FileSource has it. */
  keepsCut: boolean;
}

/**
 * Returns whether a dump holds less of the core than its file does, other than by the owner's limits (MAX_CORE_SIZE,
 * KEEP_PER_BUG).
 */
export function isCut(
  { sizeBytes }: Pick<CoreFile, "sizeBytes">,
  end: DrainEnd,
  { core_bytes, core_content, core_complete }: Pick<DumpInfo, "core_bytes"> & Partial<DumpInfo>,
): boolean {
  if (core_content === "stacks" && core_complete === true) return false;
  return end !== "size_limit" && end !== "known_bug" && core_bytes < sizeBytes;
}

/** How many first bytes are read. The first thread's notes fit, unless some thousand files are mapped. */
const HEAD_BYTES = 512 * 1024;
/**
 * The longest description that is read: Kubernetes allows 256 KiB of annotations, in the pod and once more in the
 * container.
 */
const KNOWN_MAX_BYTES = 4 * 2 ** 20;

/** Reads the file's first bytes without moving its position. Values in the name win over those in the notes. */
export function openWaitingCore(fd: number, source: FileSource, named: CrashContext): CoreFile {
  const notes = parseCoreNotes(readHead(fd, HEAD_BYTES));
  const exeName = named.exeName || corenameText(notes.comm ?? "");
  const pathname = corenameText(notes.executable ?? `${exeName} (path unknown)`);
  const crash: CrashContext = {
    ...named,
    signal: named.signal ?? notes.signal,
    pid: named.pid ?? notes.pid,
    uid: named.uid ?? notes.uid,
    gid: named.gid ?? notes.gid,
    exeName,
    pathname,
  };
  const known = parseKnown(readKnown(source.knownFd));
  const identity = identifyGone(source.containerId, known, crash);
  const exePath = notes.executable === null ? null : oneLine(notes.executable);
  return {
    crash,
    gone: { crasher: { identity, exePath, thread: null }, known },
    nodeName: source.nodeName ?? undefined,
    sizeBytes: fstatSync(fd).size,
    keepsCut: source.keepsCut,
  };
}

/** Reads the description; null where there is none or it cannot be read, and then the composer asks the runtime. */
function readKnown(fd: number | null): string | null {
  if (fd === null) return null;
  try {
    const bytes = readHead(fd, KNOWN_MAX_BYTES);
    closeSync(fd);
    return bytes.toString("utf8");
  } catch {
    return null;
  }
}

function readHead(fd: number, maxBytes: number): Buffer {
  const head = Buffer.allocUnsafe(Math.min(maxBytes, fstatSync(fd).size));
  let filled = 0;
  while (filled < head.length) {
    const count = readSync(fd, head, filled, head.length - filled, filled);
    if (count === 0) break;
    filled += count;
  }
  return head.subarray(0, filled);
}
