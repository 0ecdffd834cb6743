// A core that lies in a finished file: what its name left open is read off its notes. The crashed process is gone.
import { closeSync, fstatSync, readSync } from "node:fs";
import { oneLine } from "../model/printable.ts";
import { parseCoreNotes } from "../model/core-notes.ts";
import { corenameText } from "../model/corename.ts";
import type { CrashContext } from "../model/crash-context.ts";
import type { DumpInfo } from "../model/dump-info.ts";
import type { DrainEnd } from "./core-drain.ts";
import type { FileSource } from "../model/composer-invocation.ts";
import { identifyGone, parseKnown, type GoneCrasher } from "./metadata/gone-crasher.ts";

export interface CoreFile {
  crash: CrashContext;
  gone: GoneCrasher;
  nodeName: string | undefined;
  sizeBytes: number;
  /** As FileSource has it. */
  keepsCut: boolean;
}

/** Whether a dump holds less of the core than its file, but for the owner's own limit (MAX_CORE_SIZE). */
export function isCut(
  { sizeBytes }: Pick<CoreFile, "sizeBytes">,
  end: DrainEnd,
  { core_bytes }: Pick<DumpInfo, "core_bytes">,
): boolean {
  return end !== "size_limit" && core_bytes < sizeBytes;
}

/** The first thread's notes stand at the beginning; only those of some thousand mapped files are longer. */
const HEAD_BYTES = 512 * 1024;
/** Kubernetes allows 256 KiB of annotations, in the pod and once more in the container. */
const KNOWN_MAX_BYTES = 4 * 2 ** 20;

/** Reads the file's head where it is, without moving on. What the name says goes before what the notes say. */
export function openCoreFile(fd: number, source: FileSource, named: CrashContext): CoreFile {
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

/** null where there is none, or it cannot be read: the runtime is asked then, as ever. */
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
