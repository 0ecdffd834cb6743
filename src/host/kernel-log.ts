// Reads from the kernel's log which crashes the kernel dropped: because core_pipe_limit dumps were under way, or
// because no listener took them on the coredump socket. No composer sees these (core(5)). /dev/kmsg gives one record a
// read: "priority,sequence,microseconds,flags;message" (Documentation/ABI/testing/dev-kmsg). The message is "coredump:
// 7(name): over core_pipe_limit, skipping core dump" (fs/coredump.c, Linux 6.18), on older kernels "Pid 7(name) over
// core_pipe_limit"; the other one is "coredump: 7(name): Coredump socket connection /path failed -111". The crashed
// process chooses the name, of at most 15 characters: it is too short to be either message, and it stands before the
// part that is matched.
import { closeSync, constants, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../model/app-error.ts";
import { readTextFile, writeFileAtomically } from "./files.ts";
import { SOCKET_NAME } from "../model/core-pattern.ts";
import { KERNEL_LOG_POSITION } from "../model/host-file.ts";
import type { KernelLogSource } from "./kernel-log-source.ts";
import { openKernelRing } from "./kernel-ring.ts";

/** A crash that the kernel dropped. */
export interface KernelLoss {
  by: "pipe limit" | "socket";
  /** The kernel's message. */
  message: string;
}

/** Follows the kernel's log. */
export interface KernelLog {
  /** Returns the losses since the last call. Throws the system's error where the log cannot be read. */
  readLosses(): Promise<KernelLoss[]>;
  close(): void;
}

const RECORD_MAX_BYTES = 8192;
const PIPE_LIMIT = /^(?:Pid \d+\(.*\) |coredump: \d+\(.*\): )over core_pipe_limit/;
const SOCKET = /^coredump: \d+\(.*\): Coredump socket connection (.+) failed -\d+$/;

/** Parses a record of /dev/kmsg; undefined for any other text. */
export function parseKernelRecord(
  record: string,
): { sequence: number; message: string } | undefined {
  // Lines after the first are the record's dictionary (" KEY=value").
  const [line = ""] = record.split("\n", 1);
  const match = /^\d+,(\d+),\d+,[^;]*;(.*)$/s.exec(line);
  return match === null ? undefined : { sequence: Number(match[1]), message: match[2] ?? "" };
}

/** Returns how the crash in a message was lost; undefined for other messages, and for a socket in another HOST_DIR. */
export function lossOf(message: string, hostDir: string): KernelLoss["by"] | undefined {
  if (PIPE_LIMIT.test(message)) return "pipe limit";
  return SOCKET.exec(message)?.[1] === join(hostDir, SOCKET_NAME) ? "socket" : undefined;
}

/**
 * Opens the log, and remembers in HOST_DIR how far it was read. Throws the system's error where no source can be read.
 */
export function openKernelLog(
  hostDir: string,
  source: KernelLogSource = openKernelSource(),
): KernelLog {
  const path = join(hostDir, KERNEL_LOG_POSITION);
  let last: number | undefined;

  async function readLosses(): Promise<KernelLoss[]> {
    const known = last ?? (await readPosition());
    const losses: KernelLoss[] = [];
    let newest = known ?? -1;
    for (const { sequence, message } of source.records()) {
      if (sequence <= newest) continue;
      newest = sequence;
      const by = known === undefined ? undefined : lossOf(message, hostDir);
      if (by !== undefined) losses.push({ by, message });
    }
    // Saves the position only where it matters: at the first call and after a loss, so that no loss is counted twice
    // or missed.
    if (known === undefined || losses.length > 0)
      await writeFileAtomically(path, `${source.id} ${newest}`);
    last = newest;
    return losses;
  }

  /**
   * Returns the saved position; undefined where no agent has read the log in this boot. Earlier losses do not count
   * then, because they came before the install.
   */
  async function readPosition(): Promise<number | undefined> {
    const [id, sequence] = ((await readTextFile(path)) ?? "").split(" ");
    return id === source.id && /^-?\d+$/.test(sequence ?? "") ? Number(sequence) : undefined;
  }

  return { readLosses, close: () => source.close() };
}

/**
 * Opens /dev/kmsg or, where a container may not open that, the same log by system call, which needs only CAP_SYSLOG.
 * Throws the system's error where neither can be read.
 */
export function openKernelSource(): KernelLogSource {
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  try {
    return openKernelDevice("/dev/kmsg", bootId);
  } catch {
    return openKernelRing(bootId);
  }
}

/** Opens a device such as /dev/kmsg. Throws the system's error. */
export function openKernelDevice(device: string, bootId: string): KernelLogSource {
  const fd = openSync(device, constants.O_RDONLY | constants.O_NONBLOCK);
  const block = Buffer.alloc(RECORD_MAX_BYTES);
  function* records() {
    for (const record of readKernelRecords(fd, block)) {
      const parsed = parseKernelRecord(record);
      if (parsed !== undefined) yield parsed;
    }
  }
  return { id: bootId, records, close: () => closeSync(fd) };
}

/** Yields the records, the oldest first, until there are no more. */
export function* readKernelRecords(fd: number, block: Buffer): Generator<string> {
  for (;;) {
    try {
      const bytes = readSync(fd, block, 0, block.length, null);
      if (bytes === 0) return;
      yield block.toString("utf8", 0, bytes);
    } catch (error) {
      if (errnoOf(error) === "EAGAIN") return;
      // EPIPE: the kernel has overwritten records that were not read; the next read continues with the oldest that
      // remain.
      if (errnoOf(error) !== "EPIPE") throw error;
    }
  }
}
