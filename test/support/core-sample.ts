// A real process's memory as an ELF core, for tests that feed the composer by hand.
import { snapshotCore } from "../../build/snapshot-core.ts";

/** Writes the core of a waiting shell to `path`. */
export async function writeSampleCore(path: string): Promise<void> {
  const child = Bun.spawn(["sh", "-c", "echo ready; read -r line"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  try {
    await child.stdout.getReader().read();
    await snapshotCore(child.pid, path);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}
