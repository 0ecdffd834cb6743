// Writes HOST_DIR/composer.log, one line a record (src/model/crash-record.ts), so that every crash leaves a trace
// whatever happens next. Any number of composers append with single writes. At its size limit the log is rotated to
// composer.log.1.
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { tryLock } from "./libc.ts";
import { describeError } from "../model/app-error.ts";
import {
  formatCrashRecord,
  LEVELS,
  type CrashEvent,
  type CrashFields,
  type Level,
} from "../model/crash-record.ts";
import { COMPOSER_LOG, COMPOSER_LOG_ROTATED } from "../model/host-file.ts";

const MAX_BYTES = 1 << 20;
/** With O_NONBLOCK a FIFO in the log's place cannot delay the dump; regular files ignore the flag. */
const APPEND =
  constants.O_WRONLY |
  constants.O_CREAT |
  constants.O_APPEND |
  constants.O_NOFOLLOW |
  constants.O_NONBLOCK;

/** The log of one crash, open for appending. */
export class ComposerLog {
  private readonly path: string;
  private readonly uuid: string;
  private level: Level;
  private readonly events = new Set<CrashEvent>();

  /** `level` is the least that details need; it may be set later, when the settings are known. */
  constructor(hostDir: string, uuid: string, level: Level = "info") {
    this.path = join(hostDir, COMPOSER_LOG);
    this.uuid = uuid;
    this.level = level;
  }

  setLevel(level: Level): void {
    this.level = level;
  }

  /** Returns whether this log has written the event. */
  has(event: CrashEvent): boolean {
    return this.events.has(event);
  }

  /** Writes a record whatever the log level is: an event of a crash that the agent and the doctor look for. */
  milestone<Event extends CrashEvent>(
    level: Level,
    event: Event,
    fields: CrashFields<Event>,
  ): void {
    this.write(level, event, fields);
    this.events.add(event);
  }

  detail<Event extends CrashEvent>(level: Level, event: Event, fields: CrashFields<Event>): void {
    if (LEVELS.indexOf(level) >= LEVELS.indexOf(this.level)) this.write(level, event, fields);
  }

  private write<Event extends CrashEvent>(
    level: Level,
    event: Event,
    fields: CrashFields<Event>,
  ): void {
    const head = { time: new Date().toISOString(), level, uuid: this.uuid };
    const line = formatCrashRecord(head, event, fields);
    try {
      appendLine(this.path, line);
    } catch (error) {
      // A HOST_DIR that cannot be written must not stop the dump; the record goes to the kernel's log instead.
      writeKernelLog(`${line.trimEnd()} (composer.log: ${describeError(error)})`);
    }
  }
}

function appendLine(path: string, line: string): void {
  const fd = openSync(path, APPEND, 0o600);
  try {
    rotateWhenFull(fd, path);
    writeSync(fd, line);
  } finally {
    closeSync(fd);
  }
}

/**
 * Renames a full log. The current record still goes to the old file through the open descriptor; the next one starts
 * the new file.
 */
function rotateWhenFull(fd: number, path: string): void {
  const mine = fstatSync(fd);
  if (mine.size < MAX_BYTES || !tryLock(fd)) return;
  // Looks again under the lock: another composer may have rotated the log since this one opened it.
  const current = statSync(path, { throwIfNoEntry: false });
  if (current?.ino === mine.ino) renameSync(path, join(dirname(path), COMPOSER_LOG_ROTATED));
}

function writeKernelLog(line: string): void {
  try {
    const fd = openSync("/dev/kmsg", constants.O_WRONLY);
    writeSync(fd, `<3>core-dump-handler: ${line.slice(0, 900)}`);
    closeSync(fd);
  } catch {
    // Neither log can be written, so this failure cannot be reported anywhere.
  }
}
