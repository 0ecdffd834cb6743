// A steady stream of crashes for a test that hurts the collector meanwhile: programs of some megabytes, a few at a
// time, each of whose ends is known.
import { startSleeper } from "./crash-program.ts";

export interface CrashStream {
  /** Starts no more crashes and waits for those under way. How each ended: its signal, by pid. */
  stop(): Promise<Map<number, string>>;
}

/** `lanes` at a time, each of `megabytes`; one that is still held after timeoutMs ends with SIGKILL. */
export function startCrashStream({
  lanes = 2,
  megabytes = 12,
  timeoutMs,
}: {
  lanes?: number;
  megabytes?: number;
  timeoutMs: number;
}): CrashStream {
  const ends = new Map<number, string>();
  const stopping = new AbortController();
  const running = Array.from({ length: lanes }, async () => {
    while (!stopping.signal.aborted) {
      const sleeper = await startSleeper("mapping", [String(megabytes)], { timeoutMs });
      const { signalCode } = await sleeper.crash();
      ends.set(sleeper.pid, String(signalCode));
    }
  });
  return {
    async stop() {
      stopping.abort();
      await Promise.all(running);
      return ends;
    },
  };
}
