// Reads T-summary.json without trusting it: another version, or anybody, may have written it. A key that is missing or
// has another type reads as null or empty. Long lists and texts are cut.
import {
  AREA_KINDS,
  SUMMARY_SCHEMA,
  type CrashSummary,
  type FrameTrust,
  type SummaryFrame,
  type SummaryMessage,
  type SummarySignal,
} from "./crash-summary.ts";
import {
  at,
  isObject,
  objectsAt,
  textAt,
  textMapAt,
  textsAt,
  type Json,
  type JsonObject,
} from "./json.ts";

const TEXT_MAX_CHARACTERS = 4096;
const ITEMS_MAX = 1024;
const TRUSTS: readonly FrameTrust[] = ["context", "cfi", "frame_pointer", "call", "scan"];

/** Parses a summary; undefined for JSON that is none. Never throws. */
export function parseCrashSummary(json: Json): CrashSummary | undefined {
  if (!isObject(json) || textAt(json, "title") === "") return undefined;
  const thread = at(json, "crashing_thread");
  return {
    schema: SUMMARY_SCHEMA,
    title: cut(textAt(json, "title")),
    signal: parseSignal(at(json, "signal")),
    abort_message: parseMessage(at(json, "abort_message"), "abort_message"),
    panic: parseMessage(at(json, "panic"), "log"),
    process: {
      comm: text(json, "process", "comm"),
      exe: text(json, "process", "exe"),
      pid: number(json, "process", "pid"),
      uid: number(json, "process", "uid"),
      gid: number(json, "process", "gid"),
      threads: number(json, "process", "threads") ?? 0,
      architecture: text(json, "process", "architecture") ?? "",
    },
    crashing_thread: isObject(thread)
      ? {
          tid: number(thread, "tid") ?? 0,
          name: text(thread, "name"),
          registers: textMapAt(thread, "registers"),
          frames: parseFrames(thread),
          cut: at(thread, "cut") === true,
          fault_frame: number(thread, "fault_frame"),
        }
      : null,
    threads: objectsAt(json, "threads").slice(0, ITEMS_MAX).map(parseThread),
    modules: objectsAt(json, "modules")
      .slice(0, ITEMS_MAX)
      .map((module) => ({
        path: text(module, "path") ?? "",
        start: text(module, "start") ?? "",
        end: text(module, "end") ?? "",
        build_id: text(module, "build_id"),
        package: text(module, "package"),
        other_build: at(module, "other_build") === true,
      })),
    memory: objectsAt(json, "memory")
      .slice(0, ITEMS_MAX)
      .map((area) => ({
        start: text(area, "start") ?? "",
        end: text(area, "end") ?? "",
        kind: AREA_KINDS.find((kind) => kind === textAt(area, "kind")) ?? "anonymous",
        name: text(area, "name"),
      })),
    fingerprint: {
      bug: text(json, "fingerprint", "bug") ?? "",
      exact: text(json, "fingerprint", "exact") ?? "",
      algorithm: text(json, "fingerprint", "algorithm") ?? "",
      frames: textsAt(json, "fingerprint", "frames").slice(0, ITEMS_MAX).map(cut),
    },
    incomplete: objectsAt(json, "incomplete")
      .slice(0, ITEMS_MAX)
      .map((item) => ({
        what: text(item, "what") ?? "",
        why: text(item, "why") ?? "",
      })),
  };
}

function parseSignal(json: Json | undefined): SummarySignal | null {
  if (!isObject(json)) return null;
  return {
    number: number(json, "number") ?? 0,
    name: text(json, "name") ?? "",
    code: number(json, "code"),
    code_name: text(json, "code_name"),
    fault_address: text(json, "fault_address"),
    sender_pid: number(json, "sender_pid"),
    sentence: text(json, "sentence") ?? "",
  };
}

function parseMessage(
  json: Json | undefined,
  source: SummaryMessage["source"],
): SummaryMessage | null {
  const found = cut(textAt(json, "text"));
  return found === "" ? null : { text: found, source, language: cut(textAt(json, "language")) };
}

function parseThread(json: JsonObject): CrashSummary["threads"][number] {
  return {
    tid: number(json, "tid") ?? 0,
    name: text(json, "name"),
    count: number(json, "count") ?? 1,
    frames: parseFrames(json),
  };
}

function parseFrames(json: JsonObject): SummaryFrame[] {
  return objectsAt(json, "frames")
    .slice(0, ITEMS_MAX)
    .map((frame) => ({
      address: text(frame, "address") ?? "",
      module: text(frame, "module"),
      module_offset: text(frame, "module_offset"),
      build_id: text(frame, "build_id"),
      function: text(frame, "function"),
      demangled: text(frame, "demangled"),
      function_offset: text(frame, "function_offset"),
      source: text(frame, "source"),
      trust: TRUSTS.find((trust) => trust === textAt(frame, "trust")) ?? "scan",
      signal: text(frame, "signal"),
    }));
}

function text(json: Json, ...keys: string[]): string | null {
  const found = textAt(json, ...keys);
  return found === "" ? null : cut(found);
}

function number(json: Json, ...keys: string[]): number | null {
  const found = at(json, ...keys);
  return typeof found === "number" ? found : null;
}

function cut(found: string): string {
  return found.slice(0, TEXT_MAX_CHARACTERS);
}
