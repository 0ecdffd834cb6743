// The agent's side of the listener (src/listener/): looks for one, starts one, ends one. The listener outlives the
// agent. In a pod it is another container, and the agent never starts it.
import { lstatSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { findListener } from "../../host/coredump-socket.ts";
import type { Log } from "../../host/log.ts";
import { errnoOf } from "../../model/app-error.ts";
import { SOCKET_NAME } from "../../model/core-pattern.ts";
import { parseListenerAnswer, type ListenerAnswer } from "../../model/listener-answer.ts";
import { VERSION } from "../../model/version.ts";

const ANSWER_MS = 2_000;
const ANSWER_MAX_CHARACTERS = 4_096;
/** How long to wait for the listener's container, in ms, which may start later than the agent's. */
const BESIDE_MS = 10_000;
const START_MS = 5_000;
const STEP_MS = 100;
const AGAIN_MS = 10;
const END_MS = 35_000;

/** The settings that find the listener. */
export type ListenerPlaces = Pick<AgentSettings, "HOST_DIR" | "PROC_ROOT" | "POD_NAME">;

/**
 * Returns whether a listener answers. Outside a pod it starts one where none does, where the keeper has ended, or where
 * the version differs. A new listener takes over the socket's name without a gap.
 */
export async function ensureListener(settings: ListenerPlaces, log: Log): Promise<boolean> {
  const { HOST_DIR, POD_NAME } = settings;
  if (POD_NAME !== "") return answersWithin(HOST_DIR, BESIDE_MS);
  const found = await askListener(HOST_DIR);
  if (found !== undefined && isCurrent(found)) return true;
  startListener(settings);
  const answers = await answersWithin(HOST_DIR, START_MS, isCurrent);
  log.info("listener_started", { answers, before: found?.version ?? null });
  return answers;
}

/**
 * "silent": a process holds the socket, and no worker has answered within two seconds. "absent": no process listens.
 */
export type ListenerState = "answers" | "silent" | "absent";

/** Asks the listener and returns its state. */
export async function listenerState(hostDir: string): Promise<ListenerState> {
  const { answer, connected } = await ask(hostDir);
  if (answer !== undefined) return "answers";
  return connected ? "silent" : "absent";
}

/** Ends the listener that answers, if its process can be seen from here, and waits for its composers. */
export async function stopListener(hostDir: string, log: Log): Promise<void> {
  const found = await askListener(hostDir);
  if (found === undefined || found.keeper === null) return;
  const { keeper } = found;
  const program = programOf(keeper);
  const isThere = () => runsProgram(keeper, program) && commandOf(keeper)[1] === "listen";
  if (!isThere()) return;
  process.kill(keeper, "SIGTERM");
  for (let waitedMs = 0; isThere() && waitedMs < END_MS; waitedMs += STEP_MS)
    await Bun.sleep(STEP_MS);
  log.info("listener_stopped", { pid: keeper, ended: !isThere() });
}

/**
 * Kills a listener that holds the socket and does not answer, which frees the crashed processes in its queue. Returns
 * false where none of its processes can be seen from here.
 */
export function killListener(hostDir: string, log: Log): boolean {
  const path = join(hostDir, SOCKET_NAME);
  const keeper = findListener(path);
  if (keeper === undefined) return false;
  // The worker's argument has the inode of the socket's file; the worker may have lost its keeper.
  const worker = `--worker=${lstatSync(path).ino}`;
  const program = programOf(keeper);
  const pids = listProcesses().filter((pid) => {
    if (!runsProgram(pid, program)) return false;
    const [, role, option] = commandOf(pid);
    return role === "listen" && (option === worker || pid === keeper);
  });
  for (const pid of pids) process.kill(pid, "SIGKILL");
  log.error("listener_killed", { pids: pids.join(" ") });
  return pids.length > 0;
}

function listProcesses(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function isCurrent({ version, keeper, executable }: ListenerAnswer): boolean {
  return version === VERSION && keeper !== null && executable === process.execPath;
}

function startListener({ HOST_DIR, PROC_ROOT }: ListenerPlaces): void {
  // Starts it in a new session, so that signals to the agent's terminal or process group do not end it.
  const child = Bun.spawn([process.execPath, "listen"], {
    cwd: "/",
    env: { HOST_DIR, PROC_ROOT },
    stdio: ["ignore", "ignore", "ignore"],
    detached: true,
  });
  child.unref();
}

async function answersWithin(
  hostDir: string,
  maxMs: number,
  isRight: (answer: ListenerAnswer) => boolean = () => true,
): Promise<boolean> {
  for (const startedMs = performance.now(); ;) {
    const answer = await askListener(hostDir);
    if (answer !== undefined && isRight(answer)) return true;
    if (performance.now() - startedMs > maxMs) return false;
    await Bun.sleep(STEP_MS);
  }
}

/** Returns the listener's answer; undefined where none comes within two seconds. */
export async function askListener(hostDir: string): Promise<ListenerAnswer | undefined> {
  return (await ask(hostDir)).answer;
}

interface Asked {
  answer: ListenerAnswer | undefined;
  /** True where a process accepted the connection or holds the socket. */
  connected: boolean;
}

/**
 * Asks again after ECONNRESET: Bun 1.4 reports that for a listener that answers and closes before Bun looks at the new
 * connection.
 */
async function ask(hostDir: string): Promise<Asked> {
  for (const startedMs = performance.now(); ;) {
    const asked = await askOnce(join(hostDir, SOCKET_NAME));
    const isOver = performance.now() - startedMs > ANSWER_MS;
    if (asked !== "reset") return asked;
    if (isOver) return { answer: undefined, connected: true };
    await Bun.sleep(AGAIN_MS);
  }
}

async function askOnce(path: string): Promise<Asked | "reset"> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(path);
  const timer = setTimeout(() => resolve(""), ANSWER_MS);
  let text = "";
  let connected = false;
  let reset = false;
  socket.setEncoding("utf8");
  socket.on("connect", () => {
    connected = true;
  });
  socket.on("data", (part: string) => {
    text += part;
    if (text.endsWith("\n") || text.length > ANSWER_MAX_CHARACTERS) resolve(text);
  });
  socket.on("error", (error) => {
    reset = errnoOf(error) === "ECONNRESET";
    resolve(text);
  });
  socket.on("close", () => resolve(text));
  try {
    const answer = parseListenerAnswer(await promise);
    return answer === undefined && reset ? "reset" : { answer, connected };
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/**
 * Returns whether a pid runs this program; a pid of another namespace or a reused one does not. `program` is undefined
 * without the right to look.
 */
function runsProgram(pid: number, program: string | undefined): boolean {
  return program === undefined || programOf(pid) === program;
}

/**
 * Returns a process's program and its mount namespace, which the kernel provides without the process's help; undefined
 * for a process that has ended or may not be looked at.
 */
function programOf(pid: number): string | undefined {
  try {
    return `${readlinkSync(`/proc/${pid}/exe`)} ${readlinkSync(`/proc/${pid}/ns/mnt`)}`;
  } catch {
    return undefined;
  }
}

/**
 * Reads a command line; only for processes of this program. The text is in the process's memory, and a hostile process
 * can make the read wait for ever.
 */
function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return []; // the process has ended
  }
}
