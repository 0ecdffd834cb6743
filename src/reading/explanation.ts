// Writes a crash's summary for a person: what happened in one line, then signal, messages, the crashed thread's stack,
// the other threads, and what is missing. The text is as wide as the terminal, and 80 columns elsewhere.
import {
  FINGERPRINT,
  type CrashSummary,
  type SummaryFrame,
  type SummarySignal,
} from "../model/crash-summary.ts";
import { oneLine } from "../model/printable.ts";

/** The width without a terminal. */
export const DEFAULT_COLUMNS = 80;
const LEAST_COLUMNS = 40;
const LABEL_WIDTH = 12;
const MODULE_WIDTH = 24;
const THREAD_GROUPS_SHOWN = 12;
const THREAD_FRAMES_SHOWN = 4;
const MISSING_SHOWN = 12;

/** Writes the whole explanation. */
export function formatExplanation(summary: CrashSummary, columns: number): string {
  const width = Math.max(LEAST_COLUMNS, columns);
  return lines([
    ...wrapped("", summary.title, width),
    "",
    ...factLines(summary, width),
    "",
    ...stackLines(summary, width),
    ...threadLines(summary, width),
    ...missingLines(summary, width),
  ]);
}

/** Returns the lines that `info` shows. */
export function formatShortExplanation(
  summary: CrashSummary,
  columns: number,
  frames: number,
): string[] {
  const width = Math.max(LEAST_COLUMNS, columns);
  return [
    ...labelled("crash", summary.title, width),
    ...causeLines(summary, width),
    ...labelled("bug", summary.fingerprint.bug, width),
    "",
    ...shortStackLines(summary, width, frames),
  ];
}

function lines(texts: readonly string[]): string {
  return `${texts.map((text) => oneLine(text).trimEnd()).join("\n")}\n`;
}

function factLines(summary: CrashSummary, width: number): string[] {
  const { process, fingerprint } = summary;
  const user = process.uid === null ? [] : [`user ${process.uid}`];
  const pid = process.pid === null ? [] : [`pid ${process.pid}`];
  const threads = process.threads === 1 ? "1 thread" : `${process.threads} threads`;
  const program = process.exe ?? process.comm ?? "unknown program";
  return [
    ...causeLines(summary, width),
    ...labelled(
      "process",
      [program, ...pid, ...user, threads, process.architecture].join(", "),
      width,
    ),
    ...labelled("bug", `${fingerprint.bug}  exact ${fingerprint.exact}`, width),
  ];
}

function causeLines(
  { signal, abort_message: message, panic }: CrashSummary,
  width: number,
): string[] {
  return [
    ...(signal === null ? [] : labelled("signal", signalText(signal), width)),
    ...(message === null ? [] : labelled("message", message.text, width)),
    ...(panic === null ? [] : panicLines(panic, width)),
  ];
}

function signalText({ name, code_name: code, sentence }: SummarySignal): string {
  return `${name}${code === null ? "" : ` (${code})`}: ${sentence}`;
}

/** Writes each line of a log's message on its own line. */
function panicLines({ text }: { text: string }, width: number): string[] {
  const [first = "", ...rest] = text.split("\n");
  return [
    ...labelled("log says", first, width),
    ...rest.flatMap((line) => labelled("", line, width)),
  ];
}

function stackLines({ crashing_thread: thread }: CrashSummary, width: number): string[] {
  if (thread === null) return [];
  return [
    threadLine(thread),
    ...repeatedOnce(thread.frames).flatMap((row) => frameLines(row, width)),
    ...(thread.cut ? ["  and more: the stack goes on"] : []),
  ];
}

type CrashedThread = NonNullable<CrashSummary["crashing_thread"]>;

function threadLine({ tid, name }: CrashedThread): string {
  return `thread ${tid}${name === null ? "" : ` (${name})`}, which crashed`;
}

/** Frames of raise() and abort() beyond this number would take the room of those that tell. */
const REPORTING_SHOWN = 1;

/** Writes at most so many frames, from the one on that shows whose bug it is. */
function shortStackLines(
  { crashing_thread: thread, process }: CrashSummary,
  width: number,
  most: number,
): string[] {
  if (thread === null) return [];
  const fault = thread.fault_frame ?? 0;
  const first = fault > REPORTING_SHOWN && fault < thread.frames.length ? fault : 0;
  const rows = repeatedOnce(thread.frames).filter(({ index }) => index >= first);
  const left = rows.length - most;
  const others = process.threads > 1 ? `; ${process.threads} threads in all` : "";
  return [
    `${threadLine(thread)}${others}`,
    ...(first === 0 ? [] : [`  #0 to #${first - 1}: how the failure was reported`]),
    ...rows.slice(0, most).flatMap((row) => frameLines(row, width)),
    ...(left > 0 ? [`  and ${left} more: core-dump-handler explain`] : []),
    ...(thread.cut && left <= 0 ? ["  and more: the stack goes on"] : []),
  ];
}

interface FrameRow {
  frame: SummaryFrame;
  index: number;
  count: number;
}

/** Makes one row of repeated frames, as recursion has them. */
function repeatedOnce(frames: readonly SummaryFrame[]): FrameRow[] {
  const rows: FrameRow[] = [];
  for (const [index, frame] of frames.entries()) {
    const last = rows.at(-1);
    if (last !== undefined && last.frame.address === frame.address) last.count++;
    else rows.push({ frame, index, count: 1 });
  }
  return rows;
}

/** "  #0  descend+0x1f  ×5          crashes"; "?" marks a frame that may be wrong. */
function frameLines({ frame, index, count }: FrameRow, width: number): string[] {
  const mark = frame.trust === "scan" ? "?" : " ";
  const prefix = ` ${mark}${`#${index}`.padEnd(5)}`;
  if (frame.signal !== null) return [`${prefix}── ${frame.signal} was handled here ──`];
  const times = count === 1 ? "" : `  ×${count}`;
  const module = cut(shortModule(frame), MODULE_WIDTH);
  const room = width - prefix.length - times.length - module.length - 2;
  const name = `${cut(nameOf(frame), Math.max(8, room - offsetOf(frame).length))}${offsetOf(frame)}${times}`;
  const gap = " ".repeat(Math.max(2, width - prefix.length - name.length - module.length));
  const source =
    frame.source === null ? [] : [`${" ".repeat(prefix.length)}${cut(frame.source, width - 8)}`];
  return [`${prefix}${name}${gap}${module}`, ...source];
}

function nameOf({ demangled, function: name, address }: SummaryFrame): string {
  return demangled ?? name ?? address;
}

function offsetOf({
  function: name,
  function_offset: offset,
  module_offset: place,
}: SummaryFrame): string {
  if (name !== null) return offset === null ? "" : `+${offset}`;
  return place === null ? "" : ` (${place})`;
}

function shortModule({ module }: SummaryFrame): string {
  return module === null ? "no file" : module.slice(module.lastIndexOf("/") + 1);
}

function threadLines({ threads, process }: CrashSummary, width: number): string[] {
  if (threads.length === 0) return [];
  const shown = threads.slice(0, THREAD_GROUPS_SHOWN);
  const rows = shown.flatMap(({ tid, name, count, frames }) => {
    const label = count === 1 ? `${name ?? tid}` : `${count} threads`;
    const names = frames.slice(0, THREAD_FRAMES_SHOWN).map((frame) => cut(nameOf(frame), 40));
    return labelled(`  ${label}`, names.join(" ← "), width, LABEL_WIDTH + 2);
  });
  const left = threads.length - shown.length;
  const others = process.threads - 1;
  return [
    "",
    others === 1 ? "the other thread" : `the other ${others} threads`,
    ...rows,
    ...(left > 0 ? [`  and ${left} more stacks: --json has them`] : []),
  ];
}

function missingLines({ incomplete }: CrashSummary, width: number): string[] {
  if (incomplete.length === 0) return [];
  const rows = incomplete
    .slice(0, MISSING_SHOWN)
    .flatMap(({ what, why }) => wrapped("  ", `${what}: ${why}`, width));
  const left = incomplete.length - MISSING_SHOWN;
  const needsFiles = incomplete.some(({ what }) => what === FINGERPRINT);
  const hint = "--sysroot DIR or --modules DIR says where the programs that crashed are";
  return [
    "",
    "not known",
    ...rows,
    ...(left > 0 ? [`  and ${left} more: --json has them`] : []),
    ...(needsFiles ? wrapped("  ", hint, width) : []),
  ];
}

function labelled(label: string, text: string, width: number, labelWidth = LABEL_WIDTH): string[] {
  return wrapped(label.padEnd(labelWidth), text, width, " ".repeat(labelWidth));
}

/** Wraps a text at spaces, and a word that is longer than a line anywhere. */
function wrapped(first: string, text: string, width: number, indent = first): string[] {
  const rows: string[] = [];
  let row = first;
  let isEmpty = true;
  for (const word of oneLine(text).split(" ")) {
    for (const part of piecesOf(word, width - indent.length)) {
      if (!isEmpty && row.length + 1 + part.length > width) {
        rows.push(row);
        [row, isEmpty] = [indent, true];
      }
      row += isEmpty ? part : ` ${part}`;
      isEmpty = false;
    }
  }
  return [...rows, row];
}

function piecesOf(word: string, length: number): string[] {
  if (word.length <= length) return [word];
  return Array.from({ length: Math.ceil(word.length / length) }, (_, index) =>
    word.slice(index * length, (index + 1) * length),
  );
}

function cut(text: string, maxCharacters: number): string {
  const shown = oneLine(text);
  return shown.length <= maxCharacters
    ? shown
    : `${shown.slice(0, Math.max(1, maxCharacters - 1))}…`;
}
