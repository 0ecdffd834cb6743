// Reads the last lines of one container's log from the file that the runtime names (CRI, log_path), and from its
// rotated predecessor where that file is too short. Uses bounded memory whatever the file holds. The runtime gives the
// path, but a pod may have put a link there, so nothing outside the pod's log directory is read.
import { opendir, readlink, realpath } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { errnoOf } from "../../model/app-error.ts";
import { openRegular, readAt, realPathOf } from "../../host/bounded-read.ts";
import { asCriLog } from "./docker-log.ts";
import { countCompleteLines, lastLines } from "./log-lines.ts";

const FIRST_READ_BYTES = 64 * 1024;
const NEWLINE = 10;
const ROTATED = /^(?:\d{8}-\d{6}|1)$/;

/** The end of a log. */
export interface LogTail {
  data: Uint8Array;
  /** True when maxBytes were not enough for the wanted lines. */
  cut: boolean;
}

/**
 * Returns the last `lines` lines of the log, each with its newline, from at most maxBytes of files. Throws where the
 * file cannot be read or is outside the log directory.
 */
export async function readLogTail(
  logPath: string,
  containerId: string,
  { lines, maxBytes }: { lines: number; maxBytes: number },
): Promise<LogTail> {
  if (lines === 0) return { data: new Uint8Array(0), cut: false };
  const { path, isDocker } = await resolveLog(logPath, containerId);
  const format = isDocker ? asCriLog : (bytes: Uint8Array) => bytes;
  const current = await readCurrent(path, lines, maxBytes, format);
  const missing = lines - countCompleteLines(current.data);
  const rotated = current.whole && missing > 0 ? await findRotated(path) : null;
  if (rotated === null) return { data: lastLines(current.data, lines), cut: current.cut };
  const before = await readTail(rotated, missing, maxBytes - current.data.length, format);
  const both = Buffer.concat([before.data, current.data]);
  return { data: lastLines(both, lines), cut: before.cut };
}

/**
 * Reads the current file, or the rotated one alone where the runtime has not opened a new file since the rotation
 * (cri-o 6297).
 */
async function readCurrent(...[path, ...how]: Parameters<typeof readTail>): Promise<FileTail> {
  try {
    return await readTail(path, ...how);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT" || (await findRotated(path)) === null) throw error;
    return { data: new Uint8Array(0), whole: true, cut: false };
  }
}

interface FileTail {
  /** Whole lines at the file's end, in CRI's format. */
  data: Uint8Array;
  /** True where the data is the whole file. */
  whole: boolean;
  cut: boolean;
}

/** Reads the end of a file: at least `lines` complete lines, and the pieces with which the first of them may begin. */
async function readTail(
  path: string,
  lines: number,
  maxBytes: number,
  format: (bytes: Uint8Array) => Uint8Array,
): Promise<FileTail> {
  const { file, sizeBytes } = await openRegular(path);
  try {
    await mustBeBelowPodLogs(path, await realPathOf(file));
    for (let size = FIRST_READ_BYTES; ; size *= 4) {
      const window = Math.min(size, maxBytes, sizeBytes);
      const block = await readAt(file, sizeBytes - window, window);
      const whole = window === sizeBytes;
      const data = format(whole ? block : block.subarray(block.indexOf(NEWLINE) + 1));
      const complete = countCompleteLines(data);
      // Stops at one line more than wanted: the first wanted line then begins with all its pieces.
      if (whole || complete > lines) return { data, whole, cut: false };
      if (window >= maxBytes) return { data, whole, cut: complete < lines };
    }
  } finally {
    await file.close();
  }
}

/** Returns the file that the path means: itself, or for docker (cri-dockerd) the json-file log that it links to. */
async function resolveLog(
  logPath: string,
  containerId: string,
): Promise<{ path: string; isDocker: boolean }> {
  let target: string;
  try {
    target = await readlink(logPath);
  } catch {
    // EINVAL means that it is no link, as with every runtime but docker. A missing file fails when it is opened.
    return { path: logPath, isDocker: false };
  }
  if (target.endsWith(`/containers/${containerId}/${containerId}-json.log`))
    return { path: target, isDocker: true };
  throw new Error(`${logPath} is a link to somewhere else`);
}

/**
 * Throws for a path outside the kubelet's layout, ROOT/namespace_name_uid/container/N.log. A pod that may write to the
 * node's log directory could link one of these to any file of the host.
 */
async function mustBeBelowPodLogs(path: string, realPath: string): Promise<void> {
  const root = dirname(dirname(dirname(path)));
  const expected = join(await realpath(root), relative(root, path));
  if (realPath !== expected) throw new Error(`${path} leads out of its directory, to ${realPath}`);
}

/** Returns the youngest rotated predecessor that is not compressed yet, such as the kubelet's 0.log.20240131-235959. */
async function findRotated(path: string): Promise<string | null> {
  const directory = dirname(path);
  const prefix = `${basename(path)}.`;
  let youngest = "";
  // Reads names one by one, because a pod that may write here could make any number of files.
  for await (const { name } of await opendir(directory)) {
    // docker numbers its predecessors; -json.log.1 is the youngest.
    const isRotated = name.startsWith(prefix) && ROTATED.test(name.slice(prefix.length));
    if (isRotated && name > youngest) youngest = name;
  }
  return youngest === "" ? null : join(directory, youngest);
}
