// The messages between the kernel and a coredump server (include/uapi/linux/coredump.h, Linux 6.17), and what a pidfd
// tells about a dump (include/uapi/linux/pidfd.h, Linux 6.16). Numbers have the machine's byte order, which is
// little-endian on every supported machine. Pure.

/** The first bytes of a connection: the server reads as much to tell the two forms apart. */
export const OPENING_BYTES = 4;
/** More than any kernel's request; a size beyond it is no request. */
const REQUEST_MAX_BYTES = 4096;
const REQUEST_MIN_BYTES = 16;
const ACK_MIN_BYTES = 16;

const ACCEPT = 1n; // COREDUMP_KERNEL: the kernel writes the core
const REJECT = 4n; // COREDUMP_REJECT: nothing is written
const WAIT = 8n; // COREDUMP_WAIT: the process stays until the connection is closed

/** The mark that follows an ack (enum coredump_mark). */
export const MARK_BYTES = 4;
/** The mark that says that the kernel accepts the answer and sends the core (enum coredump_mark). */
export const MARK_ACCEPTED = 0;

/** The server's answer to a request: let the kernel write the core, or not. */
export type Answer = "accept" | "reject";

/** What the kernel asks a coredump server before it sends a core (struct coredump_req). */
export interface CoredumpRequest {
  sizeBytes: number;
  ackBytes: number;
}

/**
 * Reads a connection's first four bytes. Returns the request's size in bytes where the kernel asks first, undefined
 * where they begin an ELF core.
 */
export function requestSize(opening: Uint8Array): number | undefined {
  const isElf = opening[0] === 0x7f && opening[1] === 0x45;
  if (isElf || opening.length < OPENING_BYTES) return undefined;
  const sizeBytes = viewOf(opening).getUint32(0, true);
  return sizeBytes >= REQUEST_MIN_BYTES && sizeBytes <= REQUEST_MAX_BYTES ? sizeBytes : undefined;
}

/** Parses struct coredump_req. Throws Error for a request that no kernel sends. */
export function parseRequest(bytes: Uint8Array): CoredumpRequest {
  const view = viewOf(bytes);
  const ackBytes = bytes.length < REQUEST_MIN_BYTES ? 0 : view.getUint32(4, true);
  if (ackBytes < ACK_MIN_BYTES || ackBytes > REQUEST_MAX_BYTES)
    throw new Error(`the kernel's request is not understood (${bytes.length} bytes)`);
  return { sizeBytes: view.getUint32(0, true), ackBytes };
}

/** Writes struct coredump_ack, in the length that the kernel asked for. */
export function formatAck({ ackBytes }: CoredumpRequest, answer: Answer): Uint8Array {
  const ack = new Uint8Array(Math.min(ackBytes, ACK_MIN_BYTES));
  const view = viewOf(ack);
  view.setUint32(0, ack.length, true);
  view.setBigUint64(8, answer === "accept" ? ACCEPT | WAIT : REJECT | WAIT, true);
  return ack;
}

/** struct pidfd_info up to coredump_mask and what may follow it. */
export const PIDFD_INFO_BYTES = 80;
const INFO_PID = 1n;
/** With this bit in the request, the kernel answers for a process that has ended too (Linux 6.15). */
const INFO_EXIT = 8n;
const INFO_COREDUMP = 16n;
const COREDUMPED = 1;
const COREDUMP_USER = 4;
const COREDUMP_ROOT = 8;

/** Makes the buffer to pass to ioctl PIDFD_GET_INFO. */
export function formatInfoRequest(): Uint8Array {
  const request = new Uint8Array(PIDFD_INFO_BYTES);
  viewOf(request).setBigUint64(0, INFO_PID | INFO_EXIT | INFO_COREDUMP, true);
  return request;
}

/** What the kernel tells through a pidfd about a process that dumps core. */
export interface PidfdInfo {
  isDumping: boolean;
  /** %d: 1 where the process's owner may read the dump, 2 where only root may; null where the kernel does not tell. */
  dumpable: number | null;
}

/** Parses the kernel's answer; undefined where it mentions no dump, which means that the process is not crashing. */
export function parsePidfdInfo(bytes: Uint8Array): PidfdInfo {
  const view = viewOf(bytes);
  const tellsDump = (view.getBigUint64(0, true) & INFO_COREDUMP) !== 0n;
  const mask = tellsDump ? view.getUint32(64, true) : 0;
  const dumpable = (mask & COREDUMP_USER) !== 0 ? 1 : (mask & COREDUMP_ROOT) !== 0 ? 2 : null;
  return { isDumping: (mask & COREDUMPED) !== 0, dumpable };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
