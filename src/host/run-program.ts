// Another program, run to its end with a deadline: what it said and how it ended. Never through a shell.
import { describeError } from "../model/app-error.ts";

export interface ProgramEnd {
  /** null where a signal ended it, or where it could not be started. */
  exitCode: number | null;
  /** Why it is not 0, in a few words; empty when it is. */
  reason: string;
  /** stdout and stderr. */
  output: string;
}

/** Never throws. The environment is empty but for PATH, as for a program that the kernel starts. */
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
