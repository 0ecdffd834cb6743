// The last lines of one container's log, from the file that the runtime names (CRI, log_path), and from
// its rotated predecessor where that file is too short. Bounded in memory whatever lies there.
// The path is the runtime's word, its content is not: nothing outside the pod's log directory is read.
import { opendir, readlink, realpath } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { errnoOf } from "../../model/app-error.ts";
import { openRegular, readAt, realPathOf } from "../../host/bounded-read.ts";
import { asCriLog } from "./docker-log.ts";
import { countCompleteLines, lastLines } from "./log-lines.ts";

const FIRST_READ_BYTES = 64 * 1024;
const NEWLINE = 10;
const ROTATED = /^(?:\d{8}-\d{6}|1)$/;

export interface LogTail {
  data: Uint8Array;
  /** True when maxBytes were not enough for the lines asked for. */
  cut: boolean;
}

/** The last `lines` lines of the log, each with its newline, read from at most maxBytes of files. */
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
 * Of a log that was rotated and that the runtime has not opened again (cri-o 6297), the rotated file is all there is.
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
  /** Whole lines of the file, from some line on, in CRI's format. */
  data: Uint8Array;
  /** The data is the whole file. */
  whole: boolean;
  cut: boolean;
}

/** The end of a file with at least `lines` complete lines and what may have begun them. */
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
      // One line more than asked: where it ends, the first one asked for begins with all its pieces.
      if (whole || complete > lines) return { data, whole, cut: false };
      if (window >= maxBytes) return { data, whole, cut: complete < lines };
    }
  } finally {
    await file.close();
  }
}

/** The file that the path means: itself, or for docker (cri-dockerd) the json-file log it links to. */
async function resolveLog(
  logPath: string,
  containerId: string,
): Promise<{ path: string; isDocker: boolean }> {
  let target: string;
  try {
    target = await readlink(logPath);
  } catch {
    // EINVAL: no link, as with every runtime but docker. A missing file is told by whoever opens it.
    return { path: logPath, isDocker: false };
  }
  if (target.endsWith(`/containers/${containerId}/${containerId}-json.log`))
    return { path: target, isDocker: true };
  throw new Error(`${logPath} is a link to somewhere else`);
}

/**
 * The kubelet's layout is ROOT/namespace_name_uid/container/N.log. A pod that may write to the node's
 * log directory could link one of these to any file of the host.
 */
async function mustBeBelowPodLogs(path: string, realPath: string): Promise<void> {
  const root = dirname(dirname(dirname(path)));
  const expected = join(await realpath(root), relative(root, path));
  if (realPath !== expected) throw new Error(`${path} leads out of its directory, to ${realPath}`);
}

/** The youngest rotated predecessor that is not compressed yet: 0.log.20240131-235959 (kubelet). */
async function findRotated(path: string): Promise<string | null> {
  const directory = dirname(path);
  const prefix = `${basename(path)}.`;
  let youngest = "";
  // One by one: a pod that may write here could make any number of files.
  for await (const { name } of await opendir(directory)) {
    // docker numbers its predecessors instead: -json.log.1 is the youngest
    const isRotated = name.startsWith(prefix) && ROTATED.test(name.slice(prefix.length));
    if (isRotated && name > youngest) youngest = name;
  }
  return youngest === "" ? null : join(directory, youngest);
}
