// The kernel's log by system call (syslog(2)): for a container that has CAP_SYSLOG and not /dev/kmsg, which
// only a privileged one may open. A line is "<priority>[ seconds.microseconds] message"; that time, which only
// grows, stands for the sequence number that /dev/kmsg gives.
import { AppError } from "../model/app-error.ts";
import { readKernelRing } from "./libc.ts";
import type { KernelLogSource } from "./kernel-log-source.ts";

/** Of the ring's end: some thousand lines, looked at every few seconds. */
const RING_BYTES = 256 * 1024;

export function parseRingLine(line: string): { sequence: number; message: string } | undefined {
  const match = /^<\d+>\[ *(\d+)\.(\d{6})\] (.*)$/.exec(line);
  if (match === null) return undefined;
  const [, seconds, microseconds, message = ""] = match;
  return { sequence: Number(seconds) * 1e6 + Number(microseconds), message };
}

/** Throws AppError "host" where the kernel refuses. */
export function openKernelRing(bootId: string): KernelLogSource {
  const buffer = Buffer.alloc(RING_BYTES);
  const read = () => {
    const bytes = readKernelRing(buffer);
    if (bytes < 0)
      throw new AppError("host", "the kernel's log cannot be read", {
        hint: "the container needs CAP_SYSLOG, or /dev/kmsg",
      });
    return buffer.toString("utf8", 0, bytes);
  };
  function* records() {
    for (const line of read().split("\n")) {
      const parsed = parseRingLine(line);
      if (parsed !== undefined) yield parsed;
    }
  }
  read();
  return { id: `ring-${bootId}`, records, close: () => {} };
}
