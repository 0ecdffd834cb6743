// What the kernel logged about core dumps and refused executions, as evidence. Best effort: a container may not
// see the log.
import { closeSync, constants, openSync } from "node:fs";
import { oneLine } from "../../model/printable.ts";
import { parseKernelRecord, readKernelRecords } from "../../host/kernel-log.ts";

/** fs/coredump.c in its wordings since 4.19, and what SELinux and AppArmor say of our executable. */
const ABOUT_DUMPS =
  /core_pipe_limit|[Cc]ore ?dump|coredump:|avc: +denied .*\bcdc\b|apparmor="DENIED".*cdc/;

export interface KernelMessages {
  /** What was logged since this was opened, the newest last; "" where nothing was, or none can be read. */
  since: () => string;
  close: () => void;
}

export function openKernelMessages(device = "/dev/kmsg"): KernelMessages {
  let fd: number | undefined;
  const block = Buffer.alloc(8192);
  try {
    fd = openSync(device, constants.O_RDONLY | constants.O_NONBLOCK);
    // What is there already is another crash's.
    for (const record of readKernelRecords(fd, block)) void record;
  } catch {
    fd = undefined; // no /dev/kmsg here, or not for us: then there is no such evidence
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
