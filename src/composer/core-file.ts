// A core that lies in a finished file: what its name left open is read off its notes. The crashed process is gone.
import { readSync } from "node:fs";
import { oneLine } from "../model/printable.ts";
import { parseCoreNotes } from "../model/core-notes.ts";
import { corenameText } from "../model/corename.ts";
import type { CrashContext } from "../model/crash-context.ts";
import type { FileSource } from "./core-source.ts";
import { identifyGone, parseKnown, type GoneCrasher } from "./metadata/gone-crasher.ts";

export interface CoreFile {
  crash: CrashContext;
  gone: GoneCrasher;
  nodeName: string | undefined;
}

/** The first thread's notes stand at the beginning; only those of some thousand mapped files are longer. */
const HEAD_BYTES = 512 * 1024;

/** Reads the file's head where it is, without moving on. What the name says goes before what the notes say. */
export function openCoreFile(fd: number, source: FileSource, named: CrashContext): CoreFile {
  const notes = parseCoreNotes(readHead(fd));
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
  const known = parseKnown(source.known);
  const identity = identifyGone(source.containerId, known, crash);
  const exePath = notes.executable === null ? null : oneLine(notes.executable);
  return {
    crash,
    gone: { crasher: { identity, exePath, thread: null }, known },
    nodeName: source.nodeName ?? undefined,
  };
}

function readHead(fd: number): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  let filled = 0;
  while (filled < head.length) {
    const count = readSync(fd, head, filled, head.length - filled, filled);
    if (count === 0) break;
    filled += count;
  }
  return head.subarray(0, filled);
}
