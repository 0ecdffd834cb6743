// The worker: accepts the kernel's connections and starts a composer for each, with the connection as its stdin. It
// reads nothing of a core and closes each connection when the composer has started.
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
import { within } from "../host/timer.ts";
import { EXIT } from "../model/app-error.ts";
import { SOCKET_NAME } from "../model/core-pattern.ts";
import { formatListenerAnswer } from "../model/listener-answer.ts";
import { Composers } from "./composers.ts";
import { nameOf } from "./crashed-process.ts";
import { stateOfSocketFile } from "./socket-file.ts";

/** What the worker needs. */
export interface WorkerContext {
  hostDir: string;
  procRoot: string;
  executable: string;
  /** The listening socket's descriptor. */
  listener: number;
  /** The socket file's inode; a file with another one belongs to another listener. */
  socketInode: number;
  log: Log;
  signal: AbortSignal;
}

/** The exit code of a worker whose socket file belongs to another listener. */
export const WORKER_LEFT = 3;

/** How long one wait for a connection may delay timers, signals and ended composers, in ms. */
const WAIT_MS = 200;
const WAIT_WHILE_QUEUED_MS = 20;
const BEAT_MS = 500;
/** How long the first look at .env may take. */
const REFRESH_MAX_MS = 1_000;
const ANSWERED_MS = 1_000;
const FIRST_WORD_MS = 50;
/**
 * How long composers may continue after the signal, in ms; then they seal what they have. A pod has 30 s to end
 * (terminationGracePeriodSeconds).
 */
const FINISH_MS = 20_000;
/**
 * When the worker ends at the latest, in ms after the signal. A composer ends within five seconds after SIGTERM
 * (src/composer/deadline.ts).
 */
const FINISH_HARD_MS = 27_000;

/**
 * Serves until the signal, or until the socket's file belongs to another listener, and then until its composers are
 * done. Returns the exit code.
 */
export async function serve(context: WorkerContext): Promise<number> {
  const { hostDir, listener, socketInode, signal } = context;
  const path = join(hostDir, SOCKET_NAME);
  const composers = new Composers(context);
  await within(composers.refresh(), REFRESH_MAX_MS, () => undefined);
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
    void composers.refresh();
    left = !isOurs();
  }
  await finish(context, composers, beat);
  closeSync(listener);
  return left && !signal.aborted ? WORKER_LEFT : EXIT.done;
}

/** Takes the connections that came before the file was removed, and waits for the composers. */
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

/** Lets the event loop handle signals, ended composers and timers. */
function turn(): Promise<void> {
  return Bun.sleep(0);
}

function acceptAll(context: WorkerContext, composers: Composers, waitMs: number): void {
  // Polls before each accept, because the inherited descriptor blocks.
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
    // The agent connects to check the listener. Only root can connect, by the file's mode.
    transmit(connection, Buffer.from(formatListenerAnswer(whoWeAre(context))));
    // Closes later, because Bun 1.4.5's client loses an answer whose connection closes right behind it. The client
    // closes its own side when it has read the answer.
    setTimeout(() => closeSync(connection), ANSWERED_MS);
  } else if (composers.has(pid)) {
    // A composer crashed before it could make itself undumpable. Another composer for this crash might crash too.
    loseCrash(context, pid, "a composer crashed");
    closeSync(connection);
  } else composers.take(connection, pid, (why) => loseCrash(context, pid, why));
}

type Peer = "crashes" | "asks" | "unseen";

/**
 * Asks the kernel who connected. A kernel without an answer is recognised by its bytes: the kernel sends first, the
 * agent waits.
 */
function recognise(connection: number): Peer {
  const pidfd = openPeerPidfd(connection);
  const info = pidfd === undefined ? undefined : readPidfdInfo(pidfd);
  if (pidfd !== undefined) closeSync(pidfd);
  if (info === undefined) return waitForInput(connection, FIRST_WORD_MS) ? "unseen" : "asks";
  return info.isDumping ? "crashes" : "asks";
}

const keeperPid = process.ppid;

function whoWeAre({ executable }: WorkerContext) {
  // When the keeper has ended, the worker has another parent, and no process would replace the worker.
  const keeper = process.ppid === keeperPid ? keeperPid : null;
  return { worker: process.pid, keeper, executable };
}

/** Records a crash of which nothing is kept, so that it leaves a trace. */
function loseCrash({ hostDir, log }: WorkerContext, hostPid: number, error: string): void {
  const exe = nameOf("/proc", hostPid);
  log.error("dump_failed", { exe, host_pid: hostPid, error });
  const record = new ComposerLog(hostDir, crypto.randomUUID());
  recordLostCrash(record, { source: "socket", exe, hostPid }, error);
}

/**
 * Returns a function that reports on stdout to the keeper that the worker lives. It stops when the keeper has ended.
 */
function openHeartbeat(): () => void {
  let isHeard = true;
  return () => {
    if (!isHeard) return;
    try {
      writeSync(1, ".");
    } catch {
      isHeard = false; // EPIPE: the keeper has ended, but connections still come
    }
  };
}
