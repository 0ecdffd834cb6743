// Runs crictl (docs/contract.md, section 8) with that section's PATH, no other environment, and a deadline. Only the
// exit code shows a failure, because crictl prints warnings on stderr even when all is well.
import { lastLine, readBoundedText, type Kept } from "../../host/bounded-stream.ts";

/**
 * How much output is kept. The images of a full node are some 200 KB of JSON; a tenant's annotations and environment
 * may be megabytes.
 */
const OUTPUT_MAX_BYTES = 640 * 2 ** 10;
const STDERR_MAX_BYTES = 256 * 2 ** 10;

/** What crictl printed. */
export interface CrictlOutput {
  stdout: string;
  stderr: string;
  /** True where stdout was longer than the part that is kept. */
  isCut: boolean;
}

/**
 * Returns the PATH for crictl: the directories where nodes have it, and HOST_DIR last, where DEPLOY_CRIO_EXE puts it.
 */
export function crictlPath(hostDir: string): string {
  return `/bin:/sbin:/usr/bin:/usr/sbin:/usr/local/bin:/home/kubernetes/bin:${hostDir}`;
}

/** Finds the node's crictl. Throws Error when there is none. */
export function findCrictl(searchPath: string): string {
  const program = Bun.which("crictl", { PATH: searchPath });
  if (program === null) throw new Error(`no crictl in ${searchPath}`);
  return program;
}

/** Runs crictl. Throws when there is none, when it fails, and after the signal. */
export async function runCrictl(
  args: readonly string[],
  { searchPath, signal, kept }: { searchPath: string; signal: AbortSignal; kept: Kept },
): Promise<CrictlOutput> {
  const program = findCrictl(searchPath);
  if (signal.aborted) throw new Error(`crictl ${args[0]}: no time left`);
  const child = Bun.spawn([program, ...args], {
    cwd: "/",
    env: { PATH: searchPath },
    stdio: ["ignore", "pipe", "pipe"],
    // Starts it in its own process group, so that the children of a crictl script end with it.
    detached: true,
  });
  const kill = () => killGroup(child.pid);
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("no answer in time")), { once: true });
  });
  try {
    const readStdout = async () => {
      const read = await readBoundedText(child.stdout, OUTPUT_MAX_BYTES, kept);
      // The kept part is full, and crictl would print more.
      if (read.isCut) kill();
      return read;
    };
    const [stdout, stderr, exitCode] = await Promise.race([
      Promise.all([
        readStdout(),
        readBoundedText(child.stderr, STDERR_MAX_BYTES, "end"),
        child.exited,
      ]),
      aborted,
    ]);
    if (exitCode !== 0 && !stdout.isCut)
      throw new Error(`ended with ${exitCode}: ${lastLine(stderr.text)}`);
    return { stdout: stdout.text, stderr: stderr.text, isCut: stdout.isCut };
  } catch (error) {
    throw new Error(`crictl ${args.join(" ")}`, { cause: error });
  } finally {
    kill();
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // ESRCH means that the whole group has ended already.
  }
}
