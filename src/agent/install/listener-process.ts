// The agent's side of the listener (src/listener/): is one there, a new one where there is none, its end. The
// listener outlives the agent; in a pod it is a container of its own and never started from here.
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
/** The container beside us may start later than we do. */
const BESIDE_MS = 10_000;
const START_MS = 5_000;
const STEP_MS = 100;
const AGAIN_MS = 10;
const END_MS = 35_000;

export type ListenerSettings = Pick<AgentSettings, "HOST_DIR" | "PROC_ROOT" | "POD_NAME">;

/**
 * True when a listener answers. Outside a pod one is started where there is none, where the keeper is gone, or
 * where it is of another version: it takes the socket's name over without a gap.
 */
export async function ensureListener(settings: ListenerSettings, log: Log): Promise<boolean> {
  const { HOST_DIR, POD_NAME } = settings;
  if (POD_NAME !== "") return answersWithin(HOST_DIR, BESIDE_MS);
  const found = await askListener(HOST_DIR);
  if (found !== undefined && isCurrent(found)) return true;
  startListener(settings);
  const answers = await answersWithin(HOST_DIR, START_MS, isCurrent);
  log.info("listener_started", { answers, before: found?.version ?? null });
  return answers;
}

/** "silent": somebody holds the socket, and no worker has answered in two seconds. "absent": nobody listens. */
export type ListenerState = "answers" | "silent" | "absent";

export async function listenerState(hostDir: string): Promise<ListenerState> {
  const { answer, connected } = await ask(hostDir);
  if (answer !== undefined) return "answers";
  return connected ? "silent" : "absent";
}

/** Ends the listener that answers, if one does and is to be seen from here: when its composers are done. */
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
 * Ends by SIGKILL a listener that holds the socket and does not answer: the crashed processes that wait in its queue
 * are free with it. False where none of its processes is to be seen from here.
 */
export function killListener(hostDir: string, log: Log): boolean {
  const path = join(hostDir, SOCKET_NAME);
  const keeper = findListener(path);
  if (keeper === undefined) return false;
  // Its worker is named after the socket's file, and may have lost its keeper.
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

function startListener({ HOST_DIR, PROC_ROOT }: ListenerSettings): void {
  // A session of its own: what ends the agent's terminal or process group does not end it.
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

/** What it says of itself; undefined where nobody answers in two seconds. */
export async function askListener(hostDir: string): Promise<ListenerAnswer | undefined> {
  return (await ask(hostDir)).answer;
}

interface Asked {
  answer: ListenerAnswer | undefined;
  /** Somebody took the connection, or holds the socket that it waits in. */
  connected: boolean;
}

/**
 * One that answers and closes before Bun has looked at the new connection is told as ECONNRESET, answer and all
 * (Bun 1.4): it is asked again.
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

/** A pid of another namespace or another life is nobody of ours. Without the right to look, `program` is not known. */
function runsProgram(pid: number, program: string | undefined): boolean {
  return program === undefined || programOf(pid) === program;
}

/**
 * Where a process's program is, and in which file systems. The kernel tells it by itself; undefined for one that is
 * gone or not ours to look at.
 */
function programOf(pid: number): string | undefined {
  try {
    return `${readlinkSync(`/proc/${pid}/exe`)} ${readlinkSync(`/proc/${pid}/ns/mnt`)}`;
  } catch {
    return undefined;
  }
}

/** Only for processes of our own program: the text lies in the process's memory, and a hostile one's may never come. */
function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return []; // gone
  }
}
