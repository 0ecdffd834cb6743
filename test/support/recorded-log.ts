// A log that remembers its events, for tests of what is said.
import type { Log, LogFields } from "../../src/host/log.ts";

export interface RecordedEvent {
  level: "debug" | "info" | "warn" | "error";
  event: string;
  fields: LogFields;
}

export interface RecordedLog extends Log {
  events: RecordedEvent[];
  /** The names of the events so far. */
  names(): string[];
}

export function recordedLog(): RecordedLog {
  const events: RecordedEvent[] = [];
  const at =
    (level: RecordedEvent["level"]) =>
    (event: string, fields: LogFields = {}) => {
      events.push({ level, event, fields });
    };
  return {
    events,
    names: () => events.map(({ event }) => event),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
}
