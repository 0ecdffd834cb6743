// The port to a crashed process's memory: from its core, or from the process itself while the kernel holds it.

/** Reads memory by address. */
export interface ProcessMemory {
  /** Returns the bytes from an address on; fewer where they are not mapped or not in the core. Never throws. */
  read(address: bigint, sizeBytes: number): Buffer;
}
