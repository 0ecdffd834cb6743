// One connection of the kernel's coredump socket, up to the core's first byte: who is behind it, and, where the
// kernel asks first (`@@`), the answer.
import { readNodeName } from "../../host/uts-name.ts";
import {
  becomeUndumpable,
  limitReceive,
  openPeerPidfd,
  readPeerPid,
  readPidfdInfo,
  receive,
  receiveInto,
  transmit,
} from "../../host/coredump-socket.ts";
import { AppError } from "../../model/app-error.ts";
import {
  formatAck,
  MARK_ACCEPTED,
  MARK_BYTES,
  OPENING_BYTES,
  parseRequest,
  requestSize,
  type Answer,
  type CoredumpRequest,
} from "../../model/coredump-socket.ts";
import type { CrashContext } from "../../model/crash-context.ts";
import { readPeerCrash } from "./peer-crash.ts";

/** The kernel speaks at once; only a process that is stopped or frozen in between keeps us waiting. */
const OPENING_MS = 5_000;
/** What would be seen of a core that is sent although it was refused. */
const REST_BYTES = 4096;
/** How long one read of the core may keep the composer's own thread: the kernel needs 0.2 ms for a block. */
const CORE_READ_MS = 2;
const PROC_DIR = "/proc";

export interface Connection {
  crash: CrashContext;
  /** What of the crash could not be found out, and why. */
  complaints: readonly string[];
  nodeName: string;
  /**
   * To be called once, before the answer: waits for the kernel's first words. False where the core comes unasked
   * (`@`). Throws for a request that we do not understand.
   */
  readRequest(): boolean;
  /**
   * To be called once, before the first byte is read: the kernel's question answered, where it asks. After "reject"
   * waits for the end and returns how many bytes came all the same, which should be none. Throws where the answer is
   * not taken.
   */
  answer(answer: Answer): number;
  /** For CoreInput. */
  readNow: (block: Uint8Array) => number;
}

/**
 * Also makes this process undumpable, before anything in it can crash: its core would come to the very socket it
 * serves. Throws AppError "usage" for an input that is no such connection.
 */
export function openConnection(fd: number, nowSeconds: number): Connection {
  becomeUndumpable();
  const pidfd = openPeerPidfd(fd);
  const info = pidfd === undefined ? undefined : readPidfdInfo(pidfd);
  if (pidfd === undefined || info?.isDumping !== true)
    throw new AppError("usage", "stdin is no connection of the kernel's coredump socket");
  const peer = { pid: readPeerPid(fd), pidfd, dumpable: info.dumpable };
  const { crash, complaints } = readPeerCrash(PROC_DIR, peer, nowSeconds);
  return connectionOf(fd, crash, complaints);
}

/** The connection of a crash that is known already; the kernel has not been listened to yet. */
export function connectionOf(
  fd: number,
  crash: CrashContext,
  complaints: readonly string[],
): Connection {
  let request: CoredumpRequest | undefined;
  return {
    crash,
    complaints,
    nodeName: readNodeName(PROC_DIR),
    readRequest: () => {
      request = readRequest(fd);
      return request !== undefined;
    },
    answer: (answer) => {
      if (request !== undefined) answerRequest(fd, formatAck(request, answer));
      if (answer === "reject") return countRest(fd);
      limitReceive(fd, CORE_READ_MS);
      return 0;
    },
    readNow: (block) => receiveInto(fd, block),
  };
}

function readRequest(fd: number): CoredumpRequest | undefined {
  limitReceive(fd, OPENING_MS);
  const sizeBytes = requestSize(receive(fd, OPENING_BYTES, true));
  const request = sizeBytes === undefined ? undefined : parseRequest(receive(fd, sizeBytes));
  limitReceive(fd, 0);
  return request;
}

function countRest(fd: number): number {
  limitReceive(fd, OPENING_MS);
  return receive(fd, REST_BYTES).length;
}

function answerRequest(fd: number, ack: Uint8Array): void {
  limitReceive(fd, OPENING_MS);
  const mark = transmit(fd, ack) ? receive(fd, MARK_BYTES) : new Uint8Array();
  limitReceive(fd, 0);
  // No mark at all: the process was killed meanwhile. The core then ends at once, as with a pipe.
  if (mark.length === MARK_BYTES && mark[0] !== MARK_ACCEPTED)
    throw new Error(`the kernel did not take our answer (mark ${mark[0]})`);
}
