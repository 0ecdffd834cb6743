// A small state in HOST_DIR that many processes count in: one JSON file, read and written under a lock of its own.
import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import { readTextFile, writeFileAtomically } from "./files.ts";
import { tryLock } from "./libc.ts";

const LOCK_WAIT_MS = 2_000;
const LOCK_STEP_MS = 5;

/** Where a state is, and how it is checked. */
export interface StateFile<T> {
  /** The file's name in HOST_DIR. */
  name: string;
  /** The lock's. */
  lock: string;
  /** Returns the state in parsed JSON; throws for anything else. */
  parse: (json: unknown) => T;
  empty: T;
}

/**
 * Reads a state. One that cannot be read (torn, too long, from an earlier version) counts as empty: whatever it limits
 * is counted from zero then.
 */
export async function readState<T>(hostDir: string, file: StateFile<T>): Promise<T> {
  try {
    const text = await readTextFile(join(hostDir, file.name));
    return text === undefined ? file.empty : file.parse(JSON.parse(text));
  } catch {
    return file.empty;
  }
}

/**
 * Changes a state and returns what `change` found. Throws where HOST_DIR cannot be written or the lock is not free
 * within two seconds.
 */
export async function changeState<T, R>(
  hostDir: string,
  file: StateFile<T>,
  change: (state: T) => { state: T; result: R },
): Promise<R> {
  const lock = await takeLock(join(hostDir, file.lock));
  try {
    const { state, result } = change(await readState(hostDir, file));
    await writeFileAtomically(join(hostDir, file.name), JSON.stringify(state));
    return result;
  } finally {
    closeSync(lock);
  }
}

async function takeLock(path: string): Promise<number> {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  for (let waitedMs = 0; waitedMs < LOCK_WAIT_MS; waitedMs += LOCK_STEP_MS) {
    if (tryLock(fd)) return fd;
    await Bun.sleep(LOCK_STEP_MS);
  }
  closeSync(fd);
  throw new Error(`${path} is still locked after ${LOCK_WAIT_MS} ms`);
}
