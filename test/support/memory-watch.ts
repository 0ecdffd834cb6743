// The most memory that any composer of a folder, and the agent, ever had (VmHWM), while they live.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { composersAtWork } from "./installed-composer.ts";

export interface MemoryPeaks {
  composerMiB: number;
  /** Of it what is the composer's own (RssAnon, as far as it was seen): the rest is the executable's pages, shared. */
  composerOwnMiB: number;
  agentMiB: number;
  /** At work at the same time. */
  composers: number;
}

const EVERY_MS = 100;

/** Ends with the returned function, which says what was seen. */
export function watchMemory(hostDir: string, agentPid: number): () => Promise<MemoryPeaks> {
  const peaks: MemoryPeaks = { composerMiB: 0, composerOwnMiB: 0, agentMiB: 0, composers: 0 };
  const over = new AbortController();
  async function watch(): Promise<void> {
    while (!over.signal.aborted) {
      const pids = await composersAtWork(join(hostDir, "cdc"));
      peaks.composers = Math.max(peaks.composers, pids.length);
      for (const pid of pids) {
        const { peakMiB, ownMiB } = await memoryOf(pid);
        peaks.composerMiB = Math.max(peaks.composerMiB, peakMiB);
        peaks.composerOwnMiB = Math.max(peaks.composerOwnMiB, ownMiB);
      }
      peaks.agentMiB = Math.max(peaks.agentMiB, (await memoryOf(agentPid)).peakMiB);
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

async function memoryOf(pid: number): Promise<{ peakMiB: number; ownMiB: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const mebibytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0) / 1024;
  return { peakMiB: mebibytes("VmHWM"), ownMiB: mebibytes("RssAnon") };
}
