// The worker: accepts the kernel's connections and starts a composer for each, with the connection as its stdin.
// It reads nothing of a core, and keeps no connection beyond the composer's start.
import { closeSync, writeSync } from "node:fs";
import { join } from "node:path";
import { ComposerLog } from "../host/composer-log.ts";
import {
  acceptConnection,
  openPeerPidfd,
  readPeerPid,
  readPidfdInfo,
  transmit,
  waitForInput,
} from "../host/coredump-socket.ts";
import type { Log } from "../host/log.ts";
import { recordLostCrash } from "../host/lost-crash.ts";
import { EXIT } from "../model/app-error.ts";
import { SOCKET_NAME } from "../model/core-pattern.ts";
import { formatListenerAnswer } from "../model/listener-answer.ts";
import { Composers } from "./composers.ts";
import { nameOf } from "./crashed-process.ts";
import { stateOfSocketFile } from "./socket-file.ts";

export interface WorkerContext {
  hostDir: string;
  procRoot: string;
  executable: string;
  /** The listening socket's descriptor. */
  listener: number;
  /** The socket file's inode: another one there means another listener. */
  socketInode: number;
  log: Log;
  signal: AbortSignal;
}

/** The exit code that says: the socket's file is not ours any more. */
export const WORKER_LEFT = 3;

/** How long one wait for a connection may keep timers, signals and ended composers waiting. */
const WAIT_MS = 200;
const WAIT_WHILE_QUEUED_MS = 20;
const BEAT_MS = 500;
const ANSWERED_MS = 1_000;
const FIRST_WORD_MS = 50;
/** A pod has half a minute to end (terminationGracePeriodSeconds): composers then seal what they have. */
const FINISH_MS = 20_000;
/** A composer that is told to end takes five seconds at most (deadline.ts). */
const FINISH_HARD_MS = 27_000;

/** Until the signal, or until the socket's file is another's; then until its composers are done. The exit code. */
export async function serve(context: WorkerContext): Promise<number> {
  const { hostDir, listener, socketInode, signal } = context;
  const path = join(hostDir, SOCKET_NAME);
  const composers = new Composers(context);
  const beat = openHeartbeat();
  const isOurs = () => stateOfSocketFile(path, socketInode) === "ours";
  let left = false;
  for (let beatMs = 0; !signal.aborted && !left;) {
    acceptAll(context, composers, composers.waiting > 0 ? WAIT_WHILE_QUEUED_MS : WAIT_MS);
    await turn();
    composers.advance();
    if (performance.now() - beatMs < BEAT_MS) continue;
    beatMs = performance.now();
    beat();
    left = !isOurs();
  }
  await finish(context, composers, beat);
  closeSync(listener);
  return left && !signal.aborted ? WORKER_LEFT : EXIT.done;
}

/** What connected before the file went is still taken. */
async function finish(context: WorkerContext, composers: Composers, beat: () => void) {
  const startedMs = performance.now();
  for (let told = false; ;) {
    acceptAll(context, composers, WAIT_WHILE_QUEUED_MS);
    await turn();
    composers.advance();
    beat();
    const tookMs = performance.now() - startedMs;
    if (composers.count === 0 || tookMs > FINISH_HARD_MS) return;
    if (tookMs > FINISH_MS && !told) composers.tellAll("SIGTERM");
    told = tookMs > FINISH_MS;
  }
}

/** Lets signals, ended composers and timers through. */
function turn(): Promise<void> {
  return Bun.sleep(0);
}

function acceptAll(context: WorkerContext, composers: Composers, waitMs: number): void {
  // Asked again before each: the descriptor we inherit blocks, as a stdin does.
  for (let timeoutMs = waitMs; waitForInput(context.listener, timeoutMs); timeoutMs = 0) {
    const connection = acceptConnection(context.listener);
    if (connection === undefined) return;
    take(connection, context, composers);
  }
}

function take(connection: number, context: WorkerContext, composers: Composers): void {
  const pid = readPeerPid(connection);
  const peer = recognise(connection);
  if (peer === "unseen") {
    loseCrash(context, pid, "its process is not to be seen from here: the listener needs hostPID");
    closeSync(connection);
  } else if (peer === "asks") {
    // The agent, asking whether we are well. Only root can connect (the file's mode).
    transmit(connection, Buffer.from(formatListenerAnswer(whoWeAre(context))));
    // Bun 1.4.5's client loses an answer that is closed behind: it closes its own side when it has read.
    setTimeout(() => closeSync(connection), ANSWERED_MS);
  } else if (composers.has(pid)) {
    // One of ours, before it could make itself undumpable: a composer for it might end the same way.
    loseCrash(context, pid, "a composer crashed");
    closeSync(connection);
  } else composers.take(connection, pid, (why) => loseCrash(context, pid, why));
}

type Peer = "crashes" | "asks" | "unseen";

/** Who connected, by the kernel's word; where it has none, the kernel speaks first and the agent waits. */
function recognise(connection: number): Peer {
  const pidfd = openPeerPidfd(connection);
  const info = pidfd === undefined ? undefined : readPidfdInfo(pidfd);
  if (pidfd !== undefined) closeSync(pidfd);
  if (info === undefined) return waitForInput(connection, FIRST_WORD_MS) ? "unseen" : "asks";
  return info.isDumping ? "crashes" : "asks";
}

const keeperPid = process.ppid;

function whoWeAre({ executable }: WorkerContext) {
  // With the keeper gone the next one in line is our parent: nobody would replace us.
  const keeper = process.ppid === keeperPid ? keeperPid : null;
  return { worker: process.pid, keeper, executable };
}

/** No crash is traceless, not even one that nothing is kept of. */
function loseCrash({ hostDir, log }: WorkerContext, hostPid: number, error: string): void {
  const exe = nameOf("/proc", hostPid);
  log.error("dump_failed", { exe, host_pid: hostPid, error });
  const record = new ComposerLog(hostDir, crypto.randomUUID());
  recordLostCrash(record, { source: "socket", exe, hostPid }, error);
}

/** Tells the keeper on stdout that we live. Without a keeper there is nobody to tell. */
function openHeartbeat(): () => void {
  let isHeard = true;
  return () => {
    if (!isHeard) return;
    try {
      writeSync(1, ".");
    } catch {
      isHeard = false; // EPIPE: the keeper is gone; connections come all the same
    }
  };
}
