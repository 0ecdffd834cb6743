// A real pipe into this process: a shell script writes to it, the test reads from its descriptor.
import { close, open } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

export interface PipedInput {
  fd: number;
  /** The script's process; exec its last command, or that one outlives it. */
  writer: Bun.Subprocess<"ignore", "ignore", "ignore">;
}

let pipes = 0;

/** Runs the body with the read end of a pipe that `script` (sh, standard output) writes to. */
export async function withPipe<T>(
  folder: string,
  script: string,
  body: (input: PipedInput) => Promise<T>,
): Promise<T> {
  const fifo = join(folder, `pipe-${pipes++}`);
  Bun.spawnSync(["mkfifo", fifo]);
  const writer = Bun.spawn(["sh", "-c", `exec >"$0"; ${script}`, fifo], {
    cwd: folder,
    stdio: ["ignore", "ignore", "ignore"],
  });
  // Waits for the writer to open the other end.
  const fd = await promisify(open)(fifo, "r");
  try {
    return await body({ fd, writer });
  } finally {
    writer.kill("SIGKILL");
    await writer.exited;
    await promisify(close)(fd);
  }
}
