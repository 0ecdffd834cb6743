// What composer.log tells of one crash, found by the process's name: the evidence of how far it came.
import { join } from "node:path";
import { readTextFile } from "../../host/files.ts";
import { oneLine } from "../../model/printable.ts";
import { COMPOSER_LOG, COMPOSER_LOG_ROTATED } from "../../model/host-file.ts";

type LogRecord = Readonly<Record<string, unknown>>;

export interface ComposerTrace {
  started: boolean;
  /** dump_published, dump_failed or dump_skipped, once it is there. */
  end: LogRecord | undefined;
  /** The log's last line of this crash; of any crash where there is none; undefined without a log. */
  lastLine: string | undefined;
}

/** Twice what a log may grow to before it is rotated. */
const LOG_MAX_BYTES = 4 << 20;
const ENDS = new Set(["dump_published", "dump_failed", "dump_skipped"]);

export async function readComposerTrace(hostDir: string, exe: string): Promise<ComposerTrace> {
  const lines: string[] = [];
  for (const name of [COMPOSER_LOG_ROTATED, COMPOSER_LOG])
    lines.push(...((await readTextFile(join(hostDir, name), LOG_MAX_BYTES)) ?? "").split("\n"));
  const whole = lines.filter((line) => line !== "");
  const start = whole
    .map(parseRecord)
    .find((record) => record["event"] === "dump_started" && record["exe"] === exe);
  const uuid = start?.["uuid"];
  if (typeof uuid !== "string")
    return { started: false, end: undefined, lastLine: shown(whole.at(-1)) };
  const own = whole.filter((line) => line.includes(uuid));
  const end = own.map(parseRecord).find((record) => ENDS.has(String(record["event"])));
  return { started: true, end, lastLine: shown(own.at(-1)) };
}

function shown(line: string | undefined): string | undefined {
  return line === undefined ? undefined : `composer.log: ${oneLine(line)}`;
}

function parseRecord(line: string): LogRecord {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === "object" && parsed !== null ? (parsed as LogRecord) : {};
  } catch {
    return {}; // cut by a crash of the node
  }
}
