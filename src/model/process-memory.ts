// The memory of a crashed process by address: as its core has it, or as it still stands while the kernel holds it.

export interface ProcessMemory {
  /** The bytes from an address on: fewer where they are not mapped, or not in the core. Never throws. */
  read(address: bigint, sizeBytes: number): Buffer;
}
