// HOST_DIR/composer.log: one line a record (model/crash-record.ts), so that no crash is traceless whatever happens
// next. Size-capped, rotated once (composer.log.1), appended in single writes by any number of composers.
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
/** O_NONBLOCK: a FIFO in its place must not hold the dump up (regular files ignore the flag). */
const APPEND =
  constants.O_WRONLY |
  constants.O_CREAT |
  constants.O_APPEND |
  constants.O_NOFOLLOW |
  constants.O_NONBLOCK;

export class ComposerLog {
  private readonly path: string;
  private readonly uuid: string;
  private readonly level: Level;

  constructor(hostDir: string, uuid: string, level: Level) {
    this.path = join(hostDir, COMPOSER_LOG);
    this.uuid = uuid;
    this.level = level;
  }

  /** The records that tell a crash's story are written at any level. */
  milestone<Event extends CrashEvent>(
    level: Level,
    event: Event,
    fields: CrashFields<Event>,
  ): void {
    this.write(level, event, fields);
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
      // A host directory that cannot be written must not cost the dump; the kernel log is the last resort.
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

/** This record still goes to the old file, by the open descriptor; the next one starts the new file. */
function rotateWhenFull(fd: number, path: string): void {
  const mine = fstatSync(fd);
  if (mine.size < MAX_BYTES || !tryLock(fd)) return;
  // Under the lock: another composer may have rotated since we opened.
  const current = statSync(path, { throwIfNoEntry: false });
  if (current?.ino === mine.ino) renameSync(path, join(dirname(path), COMPOSER_LOG_ROTATED));
}

function writeKernelLog(line: string): void {
  try {
    const fd = openSync("/dev/kmsg", constants.O_WRONLY);
    writeSync(fd, `<3>core-dump-handler: ${line.slice(0, 900)}`);
    closeSync(fd);
  } catch {
    // Neither log can be written: there is nowhere left to say so.
  }
}
