// `core-dump-handler listen`: takes the cores that the kernel sends to a socket in HOST_DIR (CAPTURE_MODE=socket). Two
// processes: the keeper holds the socket, the worker accepts. The keeper replaces a worker that crashes or hangs,
// while new connections wait in the socket's queue. Composers already have the connections that the worker had
// accepted.
import { writeSync } from "node:fs";
import { EXIT } from "../model/app-error.ts";
import type { AgentSettings } from "../config/agent-settings.ts";
import { becomeUndumpable } from "../host/coredump-socket.ts";
import { openLog } from "../host/log.ts";
import { stopSignal } from "../host/stop-signal.ts";
import { keepListening } from "./keeper.ts";
import { serve } from "./worker.ts";

/** The settings that the listener uses. */
export type ListenerSettings = Pick<
  AgentSettings,
  "HOST_DIR" | "PROC_ROOT" | "LOG_LEVEL" | "LOG_FORMAT"
>;

/**
 * Runs the keeper or, with `--worker=INODE`, the worker for the socket of that inode. Ends after SIGTERM, when the
 * accepted crashes are done. Returns the exit code. Throws AppError.
 */
export async function runListener(
  socketInode: number | undefined,
  { HOST_DIR, PROC_ROOT, LOG_LEVEL, LOG_FORMAT }: ListenerSettings,
): Promise<number> {
  // Comes before anything can crash: the listener's own core would come to its own socket and wait there for itself.
  becomeUndumpable();
  // The worker's stdout is its heartbeat to the keeper, so its log goes to stderr.
  const toStderr = { write: (line: string) => writeSync(2, line) };
  const write = socketInode === undefined ? {} : toStderr;
  const log = openLog({ level: LOG_LEVEL, format: LOG_FORMAT, ...write });
  const signal = stopSignal(log);
  const executable = process.execPath;
  const logging = { LOG_LEVEL, LOG_FORMAT };
  const context = { logging, hostDir: HOST_DIR, procRoot: PROC_ROOT, executable, log, signal };
  if (socketInode !== undefined) return serve({ ...context, listener: 0, socketInode });
  await keepListening(context);
  return EXIT.done;
}
