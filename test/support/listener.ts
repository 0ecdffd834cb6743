// A listener of the kernel's coredump socket for a test: its keeper and worker, seen and ended.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { askListener } from "../../src/agent/install/listener-process.ts";
import type { ListenerAnswer } from "../../src/model/listener-answer.ts";
import { executablePath } from "./executable.ts";

export interface TestListener {
  /** The keeper's pid. */
  pid: number;
  /** SIGTERM, and its end; a worker that lost its keeper ends too. */
  stop(): Promise<void>;
}

const DEADLINE_MS = 30_000;

/** Starts one for hostDir and waits until it answers. Its log goes to hostDir/listener.log. */
export async function startListener(hostDir: string): Promise<TestListener> {
  const log = Bun.file(join(hostDir, "listener.log"));
  const child = Bun.spawn([await executablePath(), "listen"], {
    cwd: "/",
    env: { HOST_DIR: hostDir },
    stdio: ["ignore", log, log],
  });
  await askUntilAnswered(hostDir, child.pid);
  return {
    pid: child.pid,
    stop: async () => {
      child.kill("SIGTERM");
      // A test may have stopped it, and failed.
      child.kill("SIGCONT");
      await child.exited;
      const left = await askListener(hostDir);
      if (left !== undefined) process.kill(left.worker, "SIGTERM");
    },
  };
}

/**
 * What the listener of hostDir says of itself, once it answers (and its keeper is `keeper`, where given).
 * undefined where there is no socket: the folder is one of the pipe's. Throws after half a minute.
 */
export async function askUntilAnswered(
  hostDir: string,
  keeper?: number,
): Promise<ListenerAnswer | undefined> {
  const isThere = () => existsSync(join(hostDir, "cdc.sock"));
  if (keeper === undefined && !isThere()) return undefined;
  for (const endMs = Date.now() + DEADLINE_MS; Date.now() < endMs;) {
    const answer = isThere() ? await askListener(hostDir) : undefined;
    if (answer !== undefined && (keeper === undefined || answer.keeper === keeper)) return answer;
    await Bun.sleep(20);
  }
  const said = await readFile(join(hostDir, "listener.log"), "utf8").catch(String);
  throw new Error(`no listener answered in ${hostDir} within half a minute: ${said}`);
}
