// Where the lines of the kernel's log come from: /dev/kmsg (kernel-log.ts) or the system call (kernel-ring.ts).

/** Where records come from: /dev/kmsg, or kernel-ring.ts. */
export interface KernelLogSource {
  /** Tells positions of this source from those of another one, and of another boot. */
  id: string;
  /** What is there, the oldest first; a record that was given before may come again. */
  records(): Iterable<{ sequence: number; message: string }>;
  close(): void;
}
