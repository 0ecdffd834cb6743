// The machine's architecture as the kernel and ELF name it.
import { machine } from "node:os";

/**
 * Returns the machine's name as uname -m prints it: "x86_64", "aarch64" … Bun's os.machine() returns "arm64" for
 * "aarch64" (1.4.5).
 */
export function machineName(): string {
  const name = machine();
  return name === "arm64" ? "aarch64" : name;
}
