// A process's own high-water mark of resident memory, read while it lives.
import { readFileSync } from "node:fs";
import { errnoOf } from "../../src/model/app-error.ts";

/**
 * Watches a process; the function that comes back ends that and tells its peak in MiB. (Not ru_maxrss: it
 * keeps what the forking parent, the test, had before exec.) VmHWM only grows, so the last reading misses
 * what came in the last 20 ms at most.
 */
export function watchPeak(pid: number): () => number {
  let peakKib = 0;
  const timer = setInterval(() => {
    peakKib = Math.max(peakKib, Number(/^VmHWM:\s+(\d+)/m.exec(statusOf(pid))?.[1] ?? 0));
  }, 20);
  return () => {
    clearInterval(timer);
    if (peakKib === 0) throw new Error(`process ${pid} was over before its memory could be read`);
    return peakKib / 1024;
  };
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes(errnoOf(error) ?? "")) return "";
    throw error;
  }
}
