// Follows HOST_DIR/composer.log and passes every line on once, across rotations and restarts of the agent. Keeps its
// position in a file beside the log. Does not interpret the lines.
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { errnoOf } from "../../model/app-error.ts";
import { readTextFile, writeFileAtomically } from "../../host/files.ts";
import {
  COMPOSER_LOG,
  COMPOSER_LOG_POSITION,
  COMPOSER_LOG_ROTATED,
} from "../../model/host-file.ts";

/** Follows the log. */
export interface ComposerLogTail {
  /** Passes every new whole line on. Returns false when lines were lost by two rotations in between. */
  poll(onLine: (line: string) => void): Promise<boolean>;
}

const positionSchema = v.object({ inode: v.number(), offset: v.number() });
type Position = v.InferOutput<typeof positionSchema>;

const READ_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** Opens the tail at its saved position. */
export function openComposerLogTail(hostDir: string): ComposerLogTail {
  let position: Position | undefined;
  let loaded = false;

  async function poll(onLine: (line: string) => void): Promise<boolean> {
    if (!loaded) position = await readPosition(hostDir);
    loaded = true;
    const current = await openLog(join(hostDir, COMPOSER_LOG));
    if (current === undefined) return true;
    const before = position;
    let complete = true;
    try {
      const { ino, size } = await current.stat();
      if (position !== undefined && position.inode !== ino)
        complete = await readRotated(hostDir, position, onLine);
      const offset = position?.inode === ino && position.offset <= size ? position.offset : 0;
      position = { inode: ino, offset: await readLines(current, offset, onLine) };
    } finally {
      await current.close();
    }
    if (position.inode !== before?.inode || position.offset !== before.offset)
      await writeFileAtomically(join(hostDir, COMPOSER_LOG_POSITION), JSON.stringify(position));
    return complete;
  }

  return { poll };
}

/** Reads the rest of the rotated file, which was composer.log at the last read. */
async function readRotated(
  hostDir: string,
  { inode, offset }: Position,
  onLine: (line: string) => void,
): Promise<boolean> {
  const rotated = await openLog(join(hostDir, COMPOSER_LOG_ROTATED));
  if (rotated === undefined) return false;
  try {
    const isOurs = (await rotated.stat()).ino === inode;
    await readLines(rotated, isOurs ? offset : 0, onLine);
    return isOurs;
  } finally {
    await rotated.close();
  }
}

/** Passes on whole lines from `offset` on. Returns the offset behind the last of them. */
async function readLines(
  file: FileHandle,
  offset: number,
  onLine: (line: string) => void,
): Promise<number> {
  const block = Buffer.alloc(READ_BYTES);
  let at = offset;
  for (;;) {
    const { bytesRead } = await file.read(block, 0, READ_BYTES, at);
    const bytes = block.subarray(0, bytesRead);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    for (const line of bytes.toString("utf8", 0, end).split("\n")) if (line !== "") onLine(line);
    at += end;
    // Skips a line that fills the block; the composer's have at most 4,000 characters.
    if (end === 0 && bytesRead === READ_BYTES) at += READ_BYTES;
    else if (bytesRead < READ_BYTES) return at;
  }
}

async function openLog(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function readPosition(hostDir: string): Promise<Position | undefined> {
  const text = await readTextFile(join(hostDir, COMPOSER_LOG_POSITION));
  if (text === undefined) return undefined;
  try {
    return v.parse(positionSchema, JSON.parse(text));
  } catch {
    return undefined; // unreadable: the tail passes the log on again from its start
  }
}
