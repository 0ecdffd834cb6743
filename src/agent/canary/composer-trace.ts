// Reads from composer.log how far one crash came, found by the process's name.
import { readComposerLines } from "../../host/lost-crash.ts";
import { oneLine } from "../../model/printable.ts";
import { isCrashEnd, parseCrashRecord, type CrashEnd } from "../../model/crash-record.ts";

/** The records of one crash. */
export interface ComposerTrace {
  started: boolean;
  /** The crash's last record (dump_published, dump_failed or dump_skipped), once it is there. */
  end: CrashEnd | undefined;
  /** The log's last line about this crash, or about any crash where it has none; undefined without a log. */
  lastLine: string | undefined;
}

/** Reads the records of the crash of a process named `exe`. */
export async function readComposerTrace(hostDir: string, exe: string): Promise<ComposerTrace> {
  const lines = await readComposerLines(hostDir);
  const records = lines.map((line) => ({ line, record: parseCrashRecord(line) }));
  const start = records.find(
    ({ record }) => record?.event === "dump_started" && record.exe === exe,
  )?.record;
  if (start === undefined || start.uuid === "")
    return { started: false, end: undefined, lastLine: shown(lines.at(-1)) };
  const own = records.filter(({ line }) => line.includes(start.uuid));
  const end = own.flatMap(({ record }) => (record && isCrashEnd(record) ? [record] : []))[0];
  return { started: true, end, lastLine: shown(own.at(-1)?.line) };
}

function shown(line: string | undefined): string | undefined {
  return line === undefined ? undefined : `composer.log: ${oneLine(line)}`;
}
