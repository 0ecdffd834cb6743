// Finds the last panic, exception or assertion at a log's end, as its language's runtime prints it. The log is the
// container's own word: whoever writes there can forge one, so it is marked as the log's.
import { TEXT_MAX_CHARACTERS } from "./limits.ts";
import type { SummaryMessage } from "../model/crash-summary.ts";

/** What is looked at, from the log's end. */
const TAIL_MAX_CHARACTERS = 256 * 1024;
const LINE_MAX_CHARACTERS = 4096;
/** A Python traceback or a Java report is longer than what is kept of it. */
const LOOK_AHEAD_LINES = 200;

interface Detector {
  language: string;
  start: RegExp;
  /** The report's lines that are kept; `lines` begins with the one that matched, `before` is the one before it. undefined: it is none. */
  keep: (lines: readonly string[], before: string) => readonly string[] | undefined;
}

/** libstdc++ writes this line before it terminates the process. */
const PURE_VIRTUAL = "pure virtual method called";

const DETECTORS: readonly Detector[] = [
  { language: "go", start: /^(?:panic: |fatal error: )/u, keep: keepGo },
  { language: "rust", start: /^thread '.*' (?:\(\d+\) )?panicked at /u, keep: keepRust },
  { language: "c++", start: /^terminate called /u, keep: keepWhat },
  { language: "c++", start: /^libc\+\+abi: terminating /u, keep: ([first = ""]) => [first] },
  { language: "c++", start: /^pure virtual method called$/u, keep: ([first = ""]) => [first] },
  { language: "python", start: /^Fatal Python error: /u, keep: keepFatalPython },
  { language: "python", start: /^Traceback \(most recent call last\):$/u, keep: keepTraceback },
  {
    language: "java",
    start: /^# A fatal error has been detected by the Java Runtime/u,
    keep: keepJava,
  },
  { language: "java", start: /^Exception in thread "/u, keep: keepStack },
  { language: "node", start: /^(?:<--- .*)?FATAL ERROR: /u, keep: ([first = ""]) => [first] },
  {
    language: "node",
    start: /^(?:Uncaught )?(?:[A-Z]\w*)?(?:Error|Exception)(?: \[\w+\])?: /u,
    keep: keepNodeStack,
  },
  {
    language: "glibc",
    start: /^.{0,512}: Assertion .{1,2048} failed\.$/u,
    keep: ([first = ""]) => [first],
  },
  { language: "glibc", start: /^\*\*\* .{1,512} \*\*\*/u, keep: ([first = ""]) => [first] },
  {
    language: "glibc",
    start:
      /^(?:double free or corruption|free\(\): |malloc\(\): |realloc\(\): |corrupted |munmap_chunk\(\): )/u,
    keep: ([first = ""]) => [first],
  },
];

/** Finds the last one; null where the log holds none. */
export function findPanic(log: string): SummaryMessage | null {
  const lines = log
    .slice(-TAIL_MAX_CHARACTERS)
    .split("\n")
    .map((line) => withoutLogPrefix(line.slice(0, LINE_MAX_CHARACTERS)));
  for (let index = lines.length - 1; index >= 0; index--)
    for (const { language, start, keep } of DETECTORS) {
      if (!start.test(lines[index] ?? "")) continue;
      const kept = keep(lines.slice(index, index + LOOK_AHEAD_LINES), lines[index - 1] ?? "");
      if (kept === undefined) continue;
      return { text: kept.join("\n").slice(0, TEXT_MAX_CHARACTERS), source: "log", language };
    }
  return null;
}

/** Takes off the time, stream and tag that a container runtime puts before every line. */
function withoutLogPrefix(line: string): string {
  return line
    .replace(/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) (?:(?:stdout|stderr) [FP] )?/u, "")
    .trimEnd();
}

/** Keeps the message up to the goroutines; a signal's line in it says where. */
function keepGo(lines: readonly string[]): readonly string[] {
  const end = lines.findIndex(
    (line, index) => index > 0 && (line === "" || line.startsWith("goroutine ")),
  );
  return lines.slice(0, end === -1 ? 4 : Math.min(end, 6));
}

/** Keeps the next line too, in which the message stands since Rust 1.73. */
function keepRust(lines: readonly string[]): readonly string[] {
  const [first = "", second = ""] = lines;
  return first.endsWith(":") && !second.startsWith("note: ") ? [first, second] : [first];
}

function keepWhat(lines: readonly string[], before: string): readonly string[] {
  if (before === PURE_VIRTUAL) return [before];
  return lines[1]?.trimStart().startsWith("what():") === true
    ? lines.slice(0, 2)
    : lines.slice(0, 1);
}

/** Keeps the thread's innermost function too, which faulthandler and CPython itself write. */
function keepFatalPython(lines: readonly string[]): readonly string[] {
  const [first = ""] = lines;
  const thread = lines.findIndex((line) => line.startsWith("Current thread "));
  const place = thread === -1 ? undefined : lines[thread + 1]?.trim();
  return place?.startsWith('File "') === true ? [first, place] : [first];
}

/** Keeps the frame that raised it and the exception itself, the first line that is not indented. */
function keepTraceback(lines: readonly string[]): readonly string[] | undefined {
  const end = lines.findIndex((line, index) => index > 0 && line !== "" && !/^\s/u.test(line));
  if (end === -1) return undefined;
  const place = lines.slice(0, end).findLast((line) => /^\s+File "/u.test(line));
  return [...(place === undefined ? [] : [place.trim()]), lines[end] ?? ""];
}

/** "# SIGSEGV (0xb) at pc=…" or an error of the JVM's own and what it was, the problematic frame, where the report is. */
function keepJava(lines: readonly string[]): readonly string[] {
  const report = lines
    .slice(1)
    .filter((line) => line.startsWith("#"))
    .map((line) => line.replace(/^#\s*/u, ""));
  const after = (mark: string) =>
    report[report.findIndex((line) => line.startsWith(mark)) + 1] ?? "";
  const event = report.findIndex((line) =>
    /^(?:SIG\w+ |Internal Error|Out of Memory|There is insufficient)/u.test(line),
  );
  const events = event === -1 ? [] : report.slice(event, event + 2);
  return [...events, after("Problematic frame:"), after("An error report file")].filter(
    (line) => line !== "",
  );
}

function keepStack(lines: readonly string[]): readonly string[] {
  return lines.slice(0, /^\s+at /u.test(lines[1] ?? "") ? 2 : 1);
}

/** How far the stack may stand behind an error's first line, whose message may have several. */
const STACK_WITHIN_LINES = 10;

/** Any program may log "Error: …"; Node's has a stack behind it, V8's own report (--abort-on-uncaught-exception) too. */
function keepNodeStack(lines: readonly string[]): readonly string[] | undefined {
  const near = lines.slice(0, STACK_WITHIN_LINES + 1);
  const at = near.findIndex((line, index) => index > 0 && /^\s+at /u.test(line));
  const [first = ""] = lines;
  if (at !== -1) return [first, (near[at] ?? "").trim()];
  const from = near.indexOf("FROM");
  return from === -1 ? undefined : [first.replace(/^Uncaught /u, ""), `at ${near[from + 1] ?? ""}`];
}
