// The compiled executable's `sweep` as a process of its own, against a folder and a store.
import { executablePath } from "./executable.ts";

export interface SweepProcess {
  process: Bun.Subprocess;
  /** Exit code (137 after SIGKILL) and what it logged. */
  ended: Promise<{ code: number; log: string }>;
}

export async function startSweep(
  coreDir: string,
  variables: Record<string, string>,
  args: readonly string[] = [],
): Promise<SweepProcess> {
  const process = Bun.spawn([await executablePath(), "sweep", ...args], {
    env: { CORE_DIR: coreDir, HOST_DIR: coreDir, LOG_LEVEL: "Debug", ...variables },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const ended = Promise.all([
    new Response(process.stdout).text(),
    new Response(process.stderr).text(),
    process.exited,
  ]).then(([out, err, code]) => ({ code, log: out + err }));
  return { process, ended };
}
