// What the program says while it runs: one event a line, as text or JSON, on stdout or wherever `write` goes.
// Values may come from a crashing process or a pod's label: nothing in them can forge a second line.
import { writeSync } from "node:fs";
import { errnoOf } from "../model/app-error.ts";
import { oneLine } from "../model/printable.ts";

export type LogLevel = "Debug" | "Info" | "Warn" | "Error";
export type LogFormat = "text" | "json";
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** `event` is a fixed snake_case name (docs/operations.md lists them); what varies goes into fields. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export interface LogOptions {
  /** The least level that is written. */
  level: LogLevel;
  format: LogFormat;
  /** Takes one line with its newline; stdout by default. */
  write?: (line: string) => void;
  now?: () => Date;
}

const RANK: Record<LogLevel, number> = { Debug: 0, Info: 1, Warn: 2, Error: 3 };

export function openLog({
  level,
  format,
  write = writeStdout,
  now = () => new Date(),
}: LogOptions): Log {
  const formatLine = format === "json" ? jsonLine : textLine;
  const at =
    (lineLevel: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      if (RANK[lineLevel] >= RANK[level])
        write(`${formatLine(now().toISOString(), lineLevel, event, fields)}\n`);
    };
  return { debug: at("Debug"), info: at("Info"), warn: at("Warn"), error: at("Error") };
}

function jsonLine(time: string, level: LogLevel, event: string, fields: LogFields): string {
  // Spread first: a field named "event" cannot displace the event. JSON escapes C0 controls, oneLine the rest.
  return oneLine(
    JSON.stringify({ ...fields, time, level: level.toLowerCase(), event }, ordered(fields)),
  );
}

/** time, level and event stand first in every line, whatever the fields are called. */
function ordered(fields: LogFields): string[] {
  return ["time", "level", "event", ...Object.keys(fields)];
}

function textLine(time: string, level: LogLevel, event: string, fields: LogFields): string {
  const pairs = Object.entries(fields).map(
    ([key, value]) => ` ${plainWord(key)}=${plainWord(value)}`,
  );
  return `${time} ${level.toUpperCase().padEnd(5)} ${oneLine(event)}${pairs.join("")}`;
}

/** A bare word stays as it is; all else is quoted as JSON. */
function plainWord(value: string | number | boolean | null): string {
  if (typeof value !== "string") return String(value);
  return /^[\w./:@%+,-]+$/.test(value) ? value : oneLine(JSON.stringify(value));
}

function writeStdout(line: string): void {
  try {
    writeSync(1, line);
  } catch (error) {
    // A reader that went away or is slow (a pipe in non-blocking mode) must not stop the agent's work.
    if (errnoOf(error) !== "EPIPE" && errnoOf(error) !== "EAGAIN") throw error;
  }
}
