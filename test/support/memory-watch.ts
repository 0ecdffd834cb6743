// The most memory that any composer of a folder, and the agent, ever had (VmHWM), while they live.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { composersAtWork } from "./installed-composer.ts";

export interface MemoryPeaks {
  composerMiB: number;
  agentMiB: number;
  /** At work at the same time. */
  composers: number;
}

const EVERY_MS = 100;

/** Ends with the returned function, which says what was seen. */
export function watchMemory(hostDir: string, agentPid: number): () => Promise<MemoryPeaks> {
  const peaks: MemoryPeaks = { composerMiB: 0, agentMiB: 0, composers: 0 };
  const over = new AbortController();
  async function watch(): Promise<void> {
    while (!over.signal.aborted) {
      const pids = await composersAtWork(join(hostDir, "cdc"));
      peaks.composers = Math.max(peaks.composers, pids.length);
      for (const pid of pids) peaks.composerMiB = Math.max(peaks.composerMiB, await peakOf(pid));
      peaks.agentMiB = Math.max(peaks.agentMiB, await peakOf(agentPid));
      await Bun.sleep(EVERY_MS);
    }
  }
  const watching = watch();
  return async () => {
    over.abort();
    await watching;
    return peaks;
  };
}

async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
}
