// Reads the kernel's log by system call (syslog(2)), for a container with CAP_SYSLOG: only a privileged one may open
// /dev/kmsg. A line is "<priority>[ seconds.microseconds] message". Its time, which only grows, serves as the sequence
// number that /dev/kmsg has.
import { AppError } from "../model/app-error.ts";
import { readKernelRing } from "./libc.ts";
import type { KernelLogSource } from "./kernel-log-source.ts";

/** How much of the log's end is read every few seconds: some thousand lines. */
const RING_BYTES = 256 * 1024;

/** Parses a line; undefined for one of another form. */
export function parseRingLine(line: string): { sequence: number; message: string } | undefined {
  const match = /^<\d+>\[ *(\d+)\.(\d{6})\] (.*)$/.exec(line);
  if (match === null) return undefined;
  const [, seconds, microseconds, message = ""] = match;
  return { sequence: Number(seconds) * 1e6 + Number(microseconds), message };
}

/** Opens the log by system call. Throws AppError "host" where the kernel refuses. */
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
