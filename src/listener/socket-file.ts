// The socket's file in HOST_DIR: made complete beside its name and renamed to it, so that a connection finds the
// old listener or the new one, and never none.
import { chmodSync, lstatSync, renameSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { listenAt } from "../host/coredump-socket.ts";
import { AppError } from "../model/app-error.ts";
import { SOCKET_NAME } from "../model/core-pattern.ts";

/** Connections that may wait for a worker; the kernel takes no more than net.core.somaxconn. */
const BACKLOG = 4096;
const ROOT_ONLY_UMASK = 0o177;

export interface ListeningSocket {
  fd: number;
  path: string;
  /** Of the file: it tells our socket from another listener's of the same name. */
  inode: number;
}

/** Takes the name over from whoever listens there. Throws AppError "host". */
export function openSocketFile(hostDir: string): ListeningSocket {
  const path = join(hostDir, SOCKET_NAME);
  const unfinished = join(hostDir, `.${SOCKET_NAME}.${process.pid}`);
  const before = process.umask(ROOT_ONLY_UMASK);
  try {
    removeIfThere(unfinished);
    const fd = listenAt(unfinished, BACKLOG);
    chmodSync(unfinished, 0o600);
    const { ino } = lstatSync(unfinished);
    renameSync(unfinished, path);
    return { fd, path, inode: ino };
  } catch (cause) {
    throw new AppError("host", `cannot make the socket ${path}`, {
      cause,
      hint: `HOST_DIR must be there and writable (${dirname(path)})`,
    });
  } finally {
    process.umask(before);
  }
}

export type SocketFileState = "ours" | "missing" | "replaced";

export function stateOfSocketFile(path: string, inode: number): SocketFileState {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return "missing";
  return found.ino === inode ? "ours" : "replaced";
}

/** Nobody connects any more; what is in the queue stays. */
export function removeSocketFile({ path, inode }: ListeningSocket): void {
  if (stateOfSocketFile(path, inode) === "ours") unlinkSync(path);
}

function removeIfThere(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path);
}
