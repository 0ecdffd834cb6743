// The kernel's own log, for the one thing that only it knows: crashes that were dropped because
// core_pipe_limit dumps were under way. No composer is started for those (core(5)).
//
// /dev/kmsg gives one record a read: "priority,sequence,microseconds,flags;message"
// (Documentation/ABI/testing/dev-kmsg). The message is "coredump: 7(name): over core_pipe_limit, skipping core
// dump" (fs/coredump.c, Linux 6.18), on older kernels "Pid 7(name) over core_pipe_limit". The name in it is the
// crashed process's own choice.
import { closeSync, constants, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../model/app-error.ts";
import { readTextFile, writeFileAtomically } from "../host/files.ts";
import { KERNEL_LOG_POSITION } from "../model/host-file.ts";
import { openKernelRing } from "./kernel-ring.ts";

/** Where records come from: /dev/kmsg, or kernel-ring.ts. */
export interface KernelLogSource {
  /** Tells positions of this source from those of another one, and of another boot. */
  id: string;
  /** What is there, the oldest first; a record that was given before may come again. */
  records(): Iterable<{ sequence: number; message: string }>;
  close(): void;
}

export interface KernelLog {
  /** New drops since the last call. Throws the system's error where the log cannot be read. */
  readDrops(): Promise<string[]>;
  close(): void;
}

const RECORD_MAX_BYTES = 8192;
const MESSAGE = /^(?:Pid \d+\(.*\) |coredump: \d+\(.*\): )over core_pipe_limit/;

export function parseKernelRecord(
  record: string,
): { sequence: number; message: string } | undefined {
  // Lines after the first are the record's dictionary (" KEY=value").
  const [line = ""] = record.split("\n", 1);
  const match = /^\d+,(\d+),\d+,[^;]*;(.*)$/s.exec(line);
  return match === null ? undefined : { sequence: Number(match[1]), message: match[2] ?? "" };
}

export function isPipeLimitDrop(message: string): boolean {
  return MESSAGE.test(message);
}

/** Throws the system's error where no source can be read. */
export function openKernelLog(
  hostDir: string,
  source: KernelLogSource = openKernelSource(),
): KernelLog {
  const path = join(hostDir, KERNEL_LOG_POSITION);
  let last: number | undefined;

  async function readDrops(): Promise<string[]> {
    const known = last ?? (await readPosition());
    const drops: string[] = [];
    let newest = known ?? -1;
    for (const { sequence, message } of source.records()) {
      if (sequence <= newest) continue;
      newest = sequence;
      if (known !== undefined && isPipeLimitDrop(message)) drops.push(message);
    }
    // The log moves all the time; the place matters where a drop must not be counted again, or not be missed.
    if (known === undefined || drops.length > 0)
      await writeFileAtomically(path, `${source.id} ${newest}`);
    last = newest;
    return drops;
  }

  /** undefined where no agent has read in this boot: what was dropped before the install is not ours. */
  async function readPosition(): Promise<number | undefined> {
    const [id, sequence] = ((await readTextFile(path)) ?? "").split(" ");
    return id === source.id && /^-?\d+$/.test(sequence ?? "") ? Number(sequence) : undefined;
  }

  return { readDrops, close: () => source.close() };
}

/** /dev/kmsg; where a container may not open it, the same log by system call, which needs CAP_SYSLOG only. */
function openKernelSource(): KernelLogSource {
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  try {
    return openKernelDevice("/dev/kmsg", bootId);
  } catch {
    return openKernelRing(bootId);
  }
}

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

/** Every record until there is none, the oldest first. */
export function* readKernelRecords(fd: number, block: Buffer): Generator<string> {
  for (;;) {
    try {
      const bytes = readSync(fd, block, 0, block.length, null);
      if (bytes === 0) return;
      yield block.toString("utf8", 0, bytes);
    } catch (error) {
      if (errnoOf(error) === "EAGAIN") return;
      // Records were overwritten before we read them; the next read goes on with what is there.
      if (errnoOf(error) !== "EPIPE") throw error;
    }
  }
}
