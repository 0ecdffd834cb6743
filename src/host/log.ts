// The program's log: one event a line, as text or JSON, on stdout or through `write`. Values may come from a crashing
// process or a pod's label, and none of them can forge a second line.
import { writeSync } from "node:fs";
import { errnoOf } from "../model/app-error.ts";
import { oneLine } from "../model/printable.ts";

/** How serious an event is. */
export type LogLevel = "Debug" | "Info" | "Warn" | "Error";
/** How a line is written. */
export type LogFormat = "text" | "json";
/** An event's fields. */
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** `event` is a fixed snake_case name (docs/operations.md lists them); what varies goes into fields. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** How a log is opened. */
export interface LogOptions {
  /** The least level that is written. */
  level: LogLevel;
  format: LogFormat;
  /** Takes one line with its newline; stdout by default. */
  write?: (line: string) => void;
  now?: () => Date;
}

const RANK: Record<LogLevel, number> = { Debug: 0, Info: 1, Warn: 2, Error: 3 };

/** Opens a log. Writing to it never throws for a reader that has gone. */
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
  // Spreads the fields first, so that a field named "event" cannot replace the event. JSON escapes C0 controls,
  // oneLine the rest.
  return oneLine(
    JSON.stringify({ ...fields, time, level: level.toLowerCase(), event }, ordered(fields)),
  );
}

/** Puts time, level and event first in every line, whatever the fields are called. */
function ordered(fields: LogFields): string[] {
  return ["time", "level", "event", ...Object.keys(fields)];
}

function textLine(time: string, level: LogLevel, event: string, fields: LogFields): string {
  const pairs = Object.entries(fields).map(
    ([key, value]) => ` ${plainWord(key)}=${plainWord(value)}`,
  );
  return `${time} ${level.toUpperCase().padEnd(5)} ${oneLine(event)}${pairs.join("")}`;
}

/** Leaves a bare word as it is and quotes any other value as JSON. */
function plainWord(value: string | number | boolean | null): string {
  if (typeof value !== "string") return String(value);
  return /^[\w./:@%+,-]+$/.test(value) ? value : oneLine(JSON.stringify(value));
}

function writeStdout(line: string): void {
  try {
    writeSync(1, line);
  } catch (error) {
    // A reader that has gone or is slow (a pipe in non-blocking mode) must not stop the agent's work.
    if (errnoOf(error) !== "EPIPE" && errnoOf(error) !== "EAGAIN") throw error;
  }
}
