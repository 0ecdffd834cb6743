// The machine's architecture as the kernel and ELF name it.
import { machine } from "node:os";

/** "x86_64", "aarch64", …: Bun's os.machine() says "arm64" where uname -m says "aarch64" (seen with 1.4.5). */
export function machineName(): string {
  const name = machine();
  return name === "arm64" ? "aarch64" : name;
}
