// What the benchmarks share: medians, Markdown tables, and the peak memory of a program by its name.
import { readFileSync, readdirSync } from "node:fs";

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function formatTable(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Watches every process called `comm` until end(), which answers the largest VmHWM in MiB. */
export function watchPeak(comm: string): { end(): Promise<number> } {
  let peakKiB = 0;
  const look = () => {
    for (const pid of readdirSync("/proc")) {
      if (/^\d+$/.test(pid)) peakKiB = Math.max(peakKiB, peakOf(pid, comm));
    }
  };
  const timer = setInterval(look, 5);
  return {
    async end() {
      // The composer goes on for a moment after it let the process go.
      for (let n = 0; n < 200 && isRunning(comm); n++) await Bun.sleep(5);
      clearInterval(timer);
      return peakKiB / 1024;
    },
  };
}

function peakOf(pid: string, comm: string): number {
  const status = statusOf(pid);
  if (!status.startsWith(`Name:\t${comm}\n`)) return 0;
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0);
}

function isRunning(comm: string): boolean {
  return readdirSync("/proc").some((pid) => statusOf(pid).startsWith(`Name:\t${comm}\n`));
}

function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return ""; // gone, or no process
  }
}
