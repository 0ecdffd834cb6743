// The lines of a container's log file, as the container wrote them: CRI's format
// `2016-10-06T00:17:09.669794202Z stdout F text` (kubernetes, CRI logging design) and docker's
// json-file format. Pure; which file is read, and how much of it, is container-log.ts's business.

interface LogPiece {
  stream: string;
  text: string;
  /** False where the next piece of the same stream continues this line. */
  complete: boolean;
}

const CRI_LINE = /^\d{4}-\d\d-\d\dT\S+ (stdout|stderr) ([FP](?::\S*)?) (.*)$/s;

/** The file's lines joined from their pieces, in the order in which they were completed. */
export function parseLogLines(fileText: string): string[] {
  const lines: string[] = [];
  const begun = new Map<string, string>();
  for (const raw of fileText.split("\n")) {
    if (raw === "") continue;
    const { stream, text, complete } = parsePiece(raw);
    const line = (begun.get(stream) ?? "") + text;
    if (complete) {
      begun.delete(stream);
      lines.push(line);
    } else begun.set(stream, line);
  }
  // What a crash left unfinished is the most interesting line of all.
  return [...lines, ...begun.values()];
}

/** How many lines the text completes: what a reader from the end counts. */
export function countCompleteLines(fileText: string): number {
  return fileText.split("\n").filter((raw) => raw !== "" && parsePiece(raw).complete).length;
}

/** A line in no known format is a line of its own, as it stands. */
function parsePiece(raw: string): LogPiece {
  const cri = CRI_LINE.exec(raw);
  if (cri !== null) {
    const [, stream = "", tags = "", text = ""] = cri;
    return { stream, text, complete: tags.split(":")[0] !== "P" };
  }
  return parseDockerPiece(raw) ?? { stream: "", text: raw, complete: true };
}

function parseDockerPiece(raw: string): LogPiece | null {
  if (!raw.startsWith('{"log":')) return null;
  try {
    const { log, stream } = JSON.parse(raw) as { log?: unknown; stream?: unknown };
    if (typeof log !== "string") return null;
    const complete = log.endsWith("\n");
    return {
      stream: typeof stream === "string" ? stream : "",
      text: complete ? log.slice(0, -1) : log,
      complete,
    };
  } catch {
    return null;
  }
}
