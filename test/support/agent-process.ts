// The agent as a process of its own, with its log read as JSON lines.

export interface AgentProcess {
  child: Bun.Subprocess<"ignore", "pipe", "inherit">;
  /** Settles with the next log line of this event; rejects when the agent ends without one. */
  saysEvent: (event: string) => Promise<Record<string, unknown>>;
  /** Every line until now. */
  lines: Record<string, unknown>[];
}

/**
 * Starts EXE agent; unless the environment says otherwise without HTTP, so that many can run side by side, and
 * without the doctor, whose canary would be a crash more than the test's own.
 */
export async function startAgent(
  executable: string,
  environment: Record<string, string>,
  { timeoutMs = 300_000 }: { timeoutMs?: number } = {},
): Promise<AgentProcess> {
  const child = Bun.spawn([executable, "agent"], {
    env: { LOG_FORMAT: "json", HTTP_PORT: "0", DOCTOR: "false", ...environment },
    stdio: ["ignore", "pipe", "inherit"],
    timeout: timeoutMs,
  });
  const lines: Record<string, unknown>[] = [];
  const waiters = new Set<() => void>();
  let ended = false;
  void follow(child.stdout, lines, () => waiters.forEach((wake) => wake())).finally(() => {
    ended = true;
    waiters.forEach((wake) => wake());
  });
  let seen = 0;
  async function saysEvent(event: string) {
    for (;;) {
      while (seen < lines.length) {
        const line = lines[seen++];
        if (line?.["event"] === event) return line;
      }
      if (ended) throw new Error(`the agent ended without "${event}": ${JSON.stringify(lines)}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      waiters.add(resolve);
      await promise;
      waiters.delete(resolve);
    }
  }
  return { child, saysEvent, lines };
}

async function follow(
  stream: ReadableStream<Uint8Array>,
  lines: Record<string, unknown>[],
  wake: () => void,
): Promise<void> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) lines.push(JSON.parse(part) as Record<string, unknown>);
    wake();
  }
}

export interface CommandEnd {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs EXE with arguments to its end, a minute at most. */
export async function runCommand(
  executable: string,
  args: string[],
  environment: Record<string, string>,
): Promise<CommandEnd> {
  const child = Bun.spawn([executable, ...args], {
    env: { LOG_FORMAT: "json", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}
