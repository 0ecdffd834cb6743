// Reads the kernel's messages about core dumps and refused executions, as evidence. Best effort, because a container
// may not see the log.
import { closeSync, constants, openSync } from "node:fs";
import { oneLine } from "../../model/printable.ts";
import { parseKernelRecord, readKernelRecords } from "../../host/kernel-log.ts";

/** Matches the messages of fs/coredump.c since Linux 4.19, and those of SELinux and AppArmor about this executable. */
const ABOUT_DUMPS =
  /core_pipe_limit|[Cc]ore ?dump|coredump:|avc: +denied .*\bcdc\b|apparmor="DENIED".*cdc/;

/** The messages since some moment. */
export interface KernelMessages {
  /** Returns the messages since the opening, the newest last; "" where there are none or the log cannot be read. */
  since: () => string;
  close: () => void;
}

/** Opens the log behind its last message. Never throws. */
export function openKernelMessages(device = "/dev/kmsg"): KernelMessages {
  let fd: number | undefined;
  const block = Buffer.alloc(8192);
  try {
    fd = openSync(device, constants.O_RDONLY | constants.O_NONBLOCK);
    // Skips the messages that are there already, which are another crash's.
    for (const record of readKernelRecords(fd, block)) void record;
  } catch {
    fd = undefined; // without access to /dev/kmsg there is no such evidence
  }
  return {
    since: () => (fd === undefined ? "" : readRelevant(fd, block)),
    close: () => {
      if (fd !== undefined) closeSync(fd);
    },
  };
}

function readRelevant(fd: number, block: Buffer): string {
  const messages: string[] = [];
  for (const record of readKernelRecords(fd, block)) {
    const message = parseKernelRecord(record)?.message ?? "";
    if (ABOUT_DUMPS.test(message)) messages.push(oneLine(message));
  }
  return messages
    .slice(-2)
    .map((message) => `kernel log: ${message}`)
    .join("; ");
}
