// The port to the kernel's log. Its adapters read /dev/kmsg (kernel-log.ts) or use the system call (kernel-ring.ts).

/** Gives the log's records. */
export interface KernelLogSource {
  /** Names this source and this boot, so that a position of another one is not used. */
  id: string;
  /** Yields the records, the oldest first; may repeat records of an earlier call. */
  records(): Iterable<{ sequence: number; message: string }>;
  close(): void;
}
