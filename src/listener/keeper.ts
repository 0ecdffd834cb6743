// The keeper: makes the socket, starts a worker that accepts the connections, and replaces a worker that ended or fell
// silent. It does little else, so that little can end it.
import { closeSync } from "node:fs";
import type { Log } from "../host/log.ts";
import { readSysctl, writeSysctl } from "../host/sysctl.ts";
import { readOriginalPattern } from "../host/original-pattern.ts";
import { describeError } from "../model/app-error.ts";
import { captureModeOf } from "../model/core-pattern.ts";
import { CORE_PATTERN } from "../model/sysctls.ts";
import { openSocketFile, removeSocketFile, stateOfSocketFile } from "./socket-file.ts";
import type { ListeningSocket } from "./socket-file.ts";
import { WORKER_LEFT } from "./worker.ts";

/** What the keeper needs. */
export interface KeeperContext {
  hostDir: string;
  procRoot: string;
  executable: string;
  /** The environment variables that the worker gets. */
  logging: Readonly<Record<"LOG_LEVEL" | "LOG_FORMAT", string>>;
  log: Log;
  signal: AbortSignal;
}

/**
 * How long a worker may be silent, in ms. It reports far more often; one that is stopped or hangs holds crashed
 * processes.
 */
const SILENT_MAX_MS = 5_000;
const CHECK_MS = 500;
const RESTART_MIN_MS = 20;
const RESTART_MAX_MS = 5_000;
/** A worker that ran for so many ms did not fail at its start. */
const STABLE_MS = 10_000;

/**
 * Keeps a worker running until the signal, or until another listener has taken the socket's name. Throws AppError
 * "host".
 */
export async function keepListening(context: KeeperContext): Promise<void> {
  const { hostDir, log, signal } = context;
  let socket = openSocketFile(hostDir);
  log.info("listening", { socket: socket.path });
  let pauseMs = RESTART_MIN_MS;
  while (!signal.aborted) {
    const startedMs = performance.now();
    const exitCode = await runWorker(context, socket);
    if (exitCode === WORKER_LEFT && !signal.aborted) {
      closeSync(socket.fd);
      if (stateOfSocketFile(socket.path, socket.inode) === "replaced") {
        log.info("listener_replaced");
        return;
      }
      // Somebody deleted the file, and the kernel finds no listener until there is a new one.
      socket = openSocketFile(hostDir);
      log.warn("socket_made_again", { socket: socket.path });
    } else if (!signal.aborted) {
      pauseMs = performance.now() - startedMs > STABLE_MS ? RESTART_MIN_MS : pauseMs;
      log.error("listener_worker_ended", { exit: exitCode, pause_ms: pauseMs });
      await Bun.sleep(pauseMs);
      pauseMs = Math.min(pauseMs * 2, RESTART_MAX_MS);
    }
  }
  closeSync(socket.fd);
}

/**
 * Runs one worker and returns its exit code, or the signal that killed it. The abort signal makes the worker finish its
 * work and end.
 */
async function runWorker(
  { hostDir, procRoot, executable, logging, log, signal }: KeeperContext,
  socket: ListeningSocket,
): Promise<number | string> {
  const worker = Bun.spawn([executable, "listen", `--worker=${socket.inode}`], {
    cwd: "/",
    env: { HOST_DIR: hostDir, PROC_ROOT: procRoot, ...logging },
    stdio: [socket.fd, "pipe", "inherit"],
  });
  let heardMs = performance.now();
  const listening = hear(worker.stdout, () => {
    heardMs = performance.now();
  });
  const watch = setInterval(() => {
    if (performance.now() - heardMs < SILENT_MAX_MS) return;
    log.error("listener_worker_silent", { pid: worker.pid, silent_ms: SILENT_MAX_MS });
    worker.kill("SIGKILL");
  }, CHECK_MS);
  const stop = () => void stopWorker(worker, { hostDir, procRoot, log }, socket);
  signal.addEventListener("abort", stop, { once: true });
  try {
    await Promise.all([worker.exited, listening]);
  } finally {
    clearInterval(watch);
    signal.removeEventListener("abort", stop);
  }
  return worker.signalCode ?? worker.exitCode ?? "unknown";
}

/**
 * Removes the socket's file first, so that the kernel connects no more, and then makes the worker finish what it has.
 */
async function stopWorker(
  worker: Bun.Subprocess,
  context: Pick<KeeperContext, "hostDir" | "procRoot" | "log">,
  socket: ListeningSocket,
): Promise<void> {
  if (stateOfSocketFile(socket.path, socket.inode) === "ours") await restorePattern(context);
  removeSocketFile(socket);
  worker.kill("SIGTERM");
}

async function restorePattern({
  hostDir,
  procRoot,
  log,
}: Pick<KeeperContext, "hostDir" | "procRoot" | "log">): Promise<void> {
  try {
    const found = await readSysctl(procRoot, CORE_PATTERN);
    if (captureModeOf(found, hostDir) !== "socket") return;
    const original = await readOriginalPattern(hostDir);
    await writeSysctl(procRoot, CORE_PATTERN, original);
    log.info("core_pattern_restored", { value: original });
  } catch (error) {
    log.error("core_pattern_not_restored", { error: describeError(error) });
  }
}

async function hear(stream: ReadableStream<Uint8Array>, onBytes: () => void): Promise<void> {
  const reader = stream.getReader();
  while (!(await reader.read()).done) onBytes();
}
