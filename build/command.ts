// Runs the programs that the build scripts need, each as a process group of its own, so that a deadline
// or Ctrl-C ends all of what was started and nothing else.
import { ROOT } from "./targets.ts";

export interface CommandEnd {
  ok: boolean;
  /** stdout and stderr, as they came. */
  output: string;
  /** Why it is not ok, in a few words; empty when it is. */
  reason: string;
}

const running = new Set<number>();
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** How long a group may take to clean up after SIGTERM (restoring core_pattern, for one). */
const GRACE_MS = 5_000;

export interface RunningCommand {
  /** What it has said so far. */
  output(): string;
  exited: Promise<CommandEnd>;
  /** SIGTERM, and SIGKILL when that does not help. */
  stop(): Promise<CommandEnd>;
}

export interface CommandOptions {
  /** Added to our own environment, or all there is. */
  env?: Record<string, string>;
  inheritEnv?: boolean;
}

/** Starts a command in the repository's root. */
export function startCommand(
  argv: readonly string[],
  { env = {}, inheritEnv = true }: CommandOptions = {},
): RunningCommand {
  const child = Bun.spawn([...argv], {
    cwd: ROOT,
    env: inheritEnv ? { ...process.env, ...env } : env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  running.add(child.pid);
  const chunks: Uint8Array[] = [];
  const output = () => Buffer.concat(chunks).toString();
  const read = [collect(child.stdout, chunks), collect(child.stderr, chunks)];
  const exited = child.exited.then(async (): Promise<CommandEnd> => {
    // Whatever the command left behind in its group ends with it, and so do the pipes.
    signalGroup(child.pid, "SIGKILL");
    running.delete(child.pid);
    await Promise.all(read);
    return { ok: child.exitCode === 0, output: output(), reason: reasonOf(child) };
  });
  return {
    output,
    exited,
    async stop() {
      await endGroup(child.pid);
      return exited;
    },
  };
}

/** Runs a command in the repository's root to its end, or to the deadline. */
export async function runCommand(
  argv: readonly string[],
  options: CommandOptions & { deadlineMs?: number } = {},
): Promise<CommandEnd> {
  const { deadlineMs = 10 * 60_000 } = options;
  const command = startCommand(argv, options);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void command.stop();
  }, deadlineMs);
  const end = await command.exited;
  clearTimeout(timer);
  if (!late) return end;
  return { ...end, ok: false, reason: `ended after ${deadlineMs / 60_000} minutes` };
}

function reasonOf(child: Bun.Subprocess): string {
  if (child.exitCode === 0) return "";
  return child.signalCode === null
    ? `exit code ${child.exitCode}`
    : `killed by ${child.signalCode}`;
}

/** Ctrl-C and SIGTERM end every running command, then run `last`, then end this process by the same signal. */
export function endCommandsOnSignal(last: () => Promise<void> = async () => {}): void {
  for (const signal of SIGNALS)
    process.once(signal, () => {
      void Promise.all([...running].map(endGroup))
        .then(last)
        .finally(() => process.kill(process.pid, signal));
    });
}

/** SIGTERM, and SIGKILL when the group is still there after the grace time. */
async function endGroup(pid: number): Promise<void> {
  const deadlineMs = Date.now() + GRACE_MS;
  signalGroup(pid, "SIGTERM");
  while (Date.now() < deadlineMs && signalGroup(pid, 0)) await Bun.sleep(50);
  signalGroup(pid, "SIGKILL");
}

/** False when no process of the group is left. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}

async function collect(stream: ReadableStream<Uint8Array>, into: Uint8Array[]): Promise<void> {
  for await (const chunk of stream) into.push(chunk);
}
