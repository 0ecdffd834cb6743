// The socket's file in HOST_DIR. It is made under another name and renamed, so that a connection always finds the old
// or the new listener.
import { chmodSync, lstatSync, renameSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { listenAt } from "../host/coredump-socket.ts";
import { AppError } from "../model/app-error.ts";
import { SOCKET_NAME } from "../model/core-pattern.ts";

/** How many connections may wait for a worker; net.core.somaxconn is the kernel's limit. */
const BACKLOG = 4096;
const ROOT_ONLY_UMASK = 0o177;

/** A socket that listens. */
export interface ListeningSocket {
  fd: number;
  path: string;
  /** The file's inode, which distinguishes this socket from another listener's of the same name. */
  inode: number;
}

/** Makes a listening socket and takes the name over from any other listener. Throws AppError "host". */
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

/** Whose socket has the name. */
export type SocketFileState = "ours" | "missing" | "replaced";

/** Looks whether the file at `path` still has this inode. */
export function stateOfSocketFile(path: string, inode: number): SocketFileState {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return "missing";
  return found.ino === inode ? "ours" : "replaced";
}

/** Removes the file, so that no process connects any more; connections in the queue stay. */
export function removeSocketFile({ path, inode }: ListeningSocket): void {
  if (stateOfSocketFile(path, inode) === "ours") unlinkSync(path);
}

function removeIfThere(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path);
}
