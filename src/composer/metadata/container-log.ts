// The last lines of one container's log, from the file that the runtime names (CRI, log_path), and from
// its rotated predecessor where that file is too short. Bounded in memory whatever lies there.
// The path is the runtime's word, its content is not: nothing outside the pod's log directory is read.
import { readdir, readlink, realpath } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { openRegular, readAt, realPathOf } from "../../host/bounded-read.ts";
import { countCompleteLines, parseLogLines } from "./log-lines.ts";

const FIRST_READ_BYTES = 64 * 1024;

export interface LogTail {
  text: string;
  /** True when maxBytes were not enough for the lines asked for. */
  cut: boolean;
}

/** The last `lines` lines of the log, each with its newline, read from at most maxBytes of files. */
export async function readLogTail(
  logPath: string,
  containerId: string,
  { lines, maxBytes }: { lines: number; maxBytes: number },
): Promise<LogTail> {
  if (lines === 0) return { text: "", cut: false };
  const current = await readTail(await resolveLog(logPath, containerId), lines, maxBytes);
  let { text } = current;
  let cut = current.cut;
  const missing = lines - countCompleteLines(text);
  const rotated = current.whole && missing > 0 ? await findRotated(logPath) : null;
  if (rotated !== null) {
    const before = await readTail(rotated, missing, maxBytes - Buffer.byteLength(text));
    text = before.text + text;
    cut = before.cut;
  }
  const tail = parseLogLines(text).slice(-lines);
  return { text: tail.map((line) => `${line}\n`).join(""), cut };
}

interface FileTail {
  /** Whole lines of the file, from some line on. */
  text: string;
  /** The text is the whole file. */
  whole: boolean;
  cut: boolean;
}

/** The end of a file with at least `lines` complete lines and what may have begun them. */
async function readTail(path: string, lines: number, maxBytes: number): Promise<FileTail> {
  const { file, sizeBytes } = await openRegular(path);
  try {
    await mustBeBelowPodLogs(path, await realPathOf(file));
    for (let size = FIRST_READ_BYTES; ; size *= 2) {
      const window = Math.min(size, maxBytes, sizeBytes);
      const block = await readAt(file, sizeBytes - window, window);
      const whole = window === sizeBytes;
      const text = fromWholeLine(block.toString("utf8"), whole);
      const complete = countCompleteLines(text);
      // One line more than asked: where it ends, the first one asked for begins with all its pieces.
      if (whole || complete > lines) return { text, whole, cut: false };
      if (window >= maxBytes) return { text, whole, cut: complete < lines };
    }
  } finally {
    await file.close();
  }
}

/** Without the piece of a line that a window into a file begins with. */
function fromWholeLine(text: string, whole: boolean): string {
  return whole ? text : text.slice(text.indexOf("\n") + 1);
}

/** The file that the path means: itself, or for docker (cri-dockerd) the json-file log it links to. */
async function resolveLog(logPath: string, containerId: string): Promise<string> {
  let target: string;
  try {
    target = await readlink(logPath);
  } catch {
    // EINVAL: no link, as with every runtime but docker. A missing file is told by whoever opens it.
    return logPath;
  }
  if (target.endsWith(`/containers/${containerId}/${containerId}-json.log`)) return target;
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
async function findRotated(logPath: string): Promise<string | null> {
  const directory = dirname(logPath);
  const prefix = `${basename(logPath)}.`;
  const names = (await readdir(directory)).filter(
    (name) => name.startsWith(prefix) && /^\d{8}-\d{6}$/.test(name.slice(prefix.length)),
  );
  const youngest = names.sort().at(-1);
  return youngest === undefined ? null : join(directory, youngest);
}
