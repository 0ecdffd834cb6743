// What the build scripts print: short lines that read well in a terminal of 80 columns and in a log file.
// Colour and the moving clock only on a terminal, and never with NO_COLOR.

const interactive = process.stdout.isTTY;
const coloured = interactive && (process.env["NO_COLOR"] ?? "") === "";
const TITLE_COLUMNS = 18;
/** How often a long step says that it is still at work where the output is no terminal. */
const HEARTBEAT_MS = 30_000;

export type Mark = "ok" | "FAILED" | "skipped";

const COLOURS: Record<Mark, string> = { ok: "32", FAILED: "31", skipped: "33" };

export function say(text = ""): void {
  process.stdout.write(`${text}\n`);
}

export function bold(text: string): string {
  return coloured ? `\u001b[1m${text}\u001b[0m` : text;
}

export function faint(text: string): string {
  return coloured ? `\u001b[2m${text}\u001b[0m` : text;
}

/** The end of a command's output, where its failure stands. */
export function lastLines(text: string, count = 30): string {
  const lines = text.trimEnd().split("\n");
  const left = lines.length - count;
  return (left > 0 ? [`… ${left} lines before these`, ...lines.slice(-count)] : lines).join("\n");
}

/** `12.3 s`, or `2 min 5 s` from a minute on. */
export function formatDuration(durationMs: number): string {
  const seconds = durationMs / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

export interface Outcome {
  mark: Mark;
  /** A few words; the line stays within 80 columns with up to 38 of them. */
  note?: string;
}

/** The steps that are running, with when each began: on a terminal one moving line names them all. */
const running = new Map<string, number>();

function showClock(): void {
  const parts = [...running].map(
    ([title, sinceMs]) => `${title} ${formatDuration(performance.now() - sinceMs)}`,
  );
  process.stdout.write(`\r  ${faint(parts.join("   "))}\u001b[K`);
}

/**
 * Runs one step and prints `title  mark  note  time` at its end; while it runs, that it does. Several may run side by
 * side, each under a title of its own.
 */
export async function step<T extends Outcome>(title: string, run: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const elapsed = () => formatDuration(performance.now() - startedMs);
  const label = `  ${title.padEnd(TITLE_COLUMNS)}`;
  running.set(title, startedMs);
  const timer = interactive
    ? setInterval(showClock, 200)
    : setInterval(() => say(`${label}still at work after ${elapsed()}`), HEARTBEAT_MS);
  try {
    const outcome = await run();
    const mark = outcome.mark.padEnd(8);
    const shown = coloured ? `\u001b[${COLOURS[outcome.mark]}m${mark}\u001b[0m` : mark;
    const line = `${label}${shown}${(outcome.note ?? "").padEnd(38)}${elapsed().padStart(12)}`;
    say(`${interactive ? "\r\u001b[K" : ""}${line}`);
    return outcome;
  } finally {
    clearInterval(timer);
    running.delete(title);
  }
}
