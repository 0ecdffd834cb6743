// Rewrites Docker's json-file log (cri-dockerd), one JSON object a line, in CRI's format, so that other files need to
// know only that. Pure.

const TIME = "0000-00-00T00:00:00Z";
const NEWLINE = 10;

/** Rewrites whole lines of a json-file log; leaves a line of another form as it is. */
export function asCriLog(log: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  for (let start = 0; start < log.length;) {
    const newline = log.indexOf(NEWLINE, start);
    const end = newline === -1 ? log.length : newline;
    const line = log.subarray(start, end);
    const rewritten = rewrite(decoder.decode(line));
    parts.push(rewritten === null ? log.subarray(start, end + 1) : encoder.encode(rewritten));
    start = end + 1;
  }
  return Buffer.concat(parts);
}

function rewrite(line: string): string | null {
  try {
    const { log, stream } = JSON.parse(line) as Record<string, unknown>;
    if (typeof log !== "string") return null;
    const complete = log.endsWith("\n");
    const text = complete ? log.slice(0, -1) : log;
    return `${TIME} ${stream === "stderr" ? "stderr" : "stdout"} ${complete ? "F" : "P"} ${text}\n`;
  } catch {
    return null;
  }
}
