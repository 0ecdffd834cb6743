// Runs another program to its end, with a deadline and without a shell.
import { describeError } from "../model/app-error.ts";

/** How a program ended, and what it printed. */
export interface ProgramEnd {
  /** null where a signal ended the program, or where it could not start. */
  exitCode: number | null;
  /** Why the exit code is not 0, in a few words; empty when it is 0. */
  reason: string;
  /** stdout and stderr together. */
  output: string;
}

/** Runs a program. Its environment has only PATH, as for a program that the kernel starts. Never throws. */
export async function runProgram(
  argv: readonly string[],
  { timeoutMs }: { timeoutMs: number },
): Promise<ProgramEnd> {
  try {
    const child = Bun.spawn([...argv], {
      cwd: "/",
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    await child.exited;
    const reason = child.exitCode === 0 ? "" : reasonOf(child);
    return { exitCode: child.exitCode, reason, output: stdout + stderr };
  } catch (error) {
    return { exitCode: null, reason: describeError(error), output: "" };
  }
}

function reasonOf({
  exitCode,
  signalCode,
}: {
  exitCode: number | null;
  signalCode: string | number | null;
}) {
  return signalCode === null ? `exit code ${exitCode}` : `ended by ${signalCode}`;
}
