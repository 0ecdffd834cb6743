// Runs crictl as the contract says (section 8): its PATH, no environment of ours, a deadline. Only the
// exit code tells failure: crictl warns on stderr in the best of health.
import { lastLine, readBoundedText, type Kept } from "../../host/bounded-stream.ts";

/** The images of a full node are some 200 KB of JSON; a tenant's annotations and environment may be megabytes. */
const OUTPUT_MAX_BYTES = 640 * 2 ** 10;
const STDERR_MAX_BYTES = 256 * 2 ** 10;

export interface CrictlOutput {
  stdout: string;
  stderr: string;
  /** stdout was longer than what is kept of it. */
  isCut: boolean;
}

/** The directories where a node keeps crictl, HOST_DIR last (DEPLOY_CRIO_EXE puts it there). */
export function crictlPath(hostDir: string): string {
  return `/bin:/sbin:/usr/bin:/usr/sbin:/usr/local/bin:/home/kubernetes/bin:${hostDir}`;
}

/** The node's crictl. Throws when there is none. */
export function findCrictl(searchPath: string): string {
  const program = Bun.which("crictl", { PATH: searchPath });
  if (program === null) throw new Error(`no crictl in ${searchPath}`);
  return program;
}

/** Runs crictl. Throws when there is none, when it fails, or the signal comes. */
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
    // A process group of its own: what a script started must end with it.
    detached: true,
  });
  const kill = () => killGroup(child.pid);
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("no answer in time")), { once: true });
  });
  try {
    const readStdout = async () => {
      const read = await readBoundedText(child.stdout, OUTPUT_MAX_BYTES, kept);
      // We have what we want, and it would talk on.
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
    // ESRCH: the whole group has ended already, as it should have.
  }
}
