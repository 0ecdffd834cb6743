// Opens one connection of the kernel's coredump socket, up to the core's first byte: finds out who crashed and, where
// the kernel asks first (`@@`), answers.
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
} from "../../model/coredump-protocol.ts";
import type { CrashContext } from "../../model/crash-context.ts";
import { readPeerCrash } from "./peer-crash.ts";

/**
 * How long to wait for the kernel's first bytes, in ms. It sends them at once, unless the process is stopped or frozen
 * in between.
 */
const OPENING_MS = 5_000;
/** How many bytes are read of a core that the kernel sends after a refusal. */
const REST_BYTES = 4096;
/** How long one read of the core may block the composer's thread, in ms; the kernel needs 0.2 ms for a block. */
const CORE_READ_MS = 2;
const PROC_DIR = "/proc";

/** An open connection. */
export interface Connection {
  crash: CrashContext;
  /** What could not be found out about the crash, and why. */
  complaints: readonly string[];
  nodeName: string;
  /**
   * To be called once, before the answer: waits for the kernel's first words. True where the kernel asks first (`@@`);
   * false where it sends the core unasked (`@`). Throws for a request that we do not understand.
   */
  readRequest(): boolean;
  /**
   * Answers the kernel's question, where it asks. The caller calls this once, before it reads the first byte. After
   * "reject" it waits for the end and returns how many bytes still came, which should be 0. Throws where the kernel
   * does not take the answer.
   */
  answer(answer: Answer): number;
  /** Reads on this thread, for CoreInput. */
  readNow: (block: Uint8Array) => number;
}

/**
 * Opens the connection. First makes this process undumpable, because the core of a crash here would come to the socket
 * that it serves. Throws AppError "usage" for an input that is no such connection.
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
  // No mark means that the process was killed meanwhile. The core then ends at once, as with a pipe.
  if (mark.length === MARK_BYTES && mark[0] !== MARK_ACCEPTED)
    throw new Error(`the kernel did not take our answer (mark ${mark[0]})`);
}
