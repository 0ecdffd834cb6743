// Runs crictl as the contract says (section 8): its PATH, no environment of ours, a deadline. Only the
// exit code tells failure: crictl warns on stderr in the best of health.
import { oneLine } from "../../model/printable.ts";

/** The images of a full node are some 200 KB of JSON. */
const OUTPUT_MAX_BYTES = 4 * 2 ** 20;
const STDERR_MAX_BYTES = 256 * 2 ** 10;

export interface CrictlOutput {
  stdout: string;
  stderr: string;
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

/** Runs crictl. Throws when there is none, when it fails, says too much, or the signal comes. */
export async function runCrictl(
  args: readonly string[],
  { searchPath, signal }: { searchPath: string; signal: AbortSignal },
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
    const [stdout, stderr, exitCode] = await Promise.race([
      Promise.all([
        readText(child.stdout, OUTPUT_MAX_BYTES),
        readText(child.stderr, STDERR_MAX_BYTES),
        child.exited,
      ]),
      aborted,
    ]);
    if (exitCode !== 0) throw new Error(`ended with ${exitCode}: ${lastLine(stderr)}`);
    return { stdout, stderr };
  } catch (error) {
    throw new Error(`crictl ${args.join(" ")}`, { cause: error });
  } finally {
    kill();
  }
}

async function readText(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw new Error(`said more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // ESRCH: the whole group has ended already, as it should have.
  }
}

function lastLine(text: string): string {
  return oneLine(text.trimEnd().split("\n").at(-1) ?? "");
}
