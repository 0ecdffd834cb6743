// A program of an unprivileged user on a file system of ours that can be stopped: from then on every look at the
// program's file waits, as with an NFS server that is away. The mount is seen by the program alone.
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildCrashProgram, type CrashProgram } from "./crash-program.ts";

export interface StalledProgram {
  pid: number;
  /** The file system answers nobody from now on. */
  stall(): void;
  /** By SIGSEGV; settles when the process is gone. */
  crash(): Promise<void>;
  /** Ends both, and with them all that waits for the file system. */
  end(): Promise<void>;
}

const NOBODY = 65_534;

/** Why there can be no file system of our own here, or undefined. */
export function fuseObstacle(): string | undefined {
  return existsSync("/dev/fuse") ? undefined : "needs /dev/fuse";
}

/** `name` is the program's file, and so its process's name. */
export async function startStalled(name: string, program: CrashProgram): Promise<StalledProgram> {
  // Not in a folder of a test's own, which only root may enter.
  const directory = await mkdtemp(join(tmpdir(), "stalled-"));
  await chmod(directory, 0o755);
  const server = await buildCrashProgram("stalled");
  const file = await buildCrashProgram(program);
  const child = Bun.spawn([server, directory, file, name, String(NOBODY)], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 120_000,
    killSignal: "SIGKILL",
  });
  const serverPid = Number(/^server (\d+)$/m.exec(await readUntilReady(child.stdout))?.[1]);
  return {
    pid: child.pid,
    stall: () => void process.kill(serverPid, "SIGSTOP"),
    crash: async () => {
      child.kill("SIGSEGV");
      await child.exited;
    },
    end: async () => {
      // It may have ended with its program already.
      if (existsSync(`/proc/${serverPid}`)) process.kill(serverPid, "SIGKILL");
      child.kill("SIGKILL");
      await child.exited;
      await rmdir(directory);
    },
  };
}

async function readUntilReady(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const part of stream) {
    text += decoder.decode(part);
    if (text.includes("ready\n")) return text;
  }
  throw new Error(`the program did not get ready: ${text}`);
}
