// This process's capabilities(7), as /proc/self/status lists them.
import { readFileSync } from "node:fs";

/** include/uapi/linux/capability.h */
const BITS = { CAP_DAC_OVERRIDE: 1n, CAP_FOWNER: 3n, CAP_SYS_NICE: 23n, CAP_LEASE: 28n } as const;

/** A capability that some part of the program asks about. */
export type Capability = keyof typeof BITS;

/** Returns those of the wanted capabilities that are not effective. */
export function missingCapabilities(
  wanted: readonly Capability[],
  statusPath = "/proc/self/status",
): Capability[] {
  const digits = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync(statusPath, "utf8"))?.[1];
  const effective = BigInt(`0x${digits ?? "0"}`);
  return wanted.filter((name) => (effective & (1n << BITS[name])) === 0n);
}
