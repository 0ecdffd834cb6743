// The machines that a guest can be: their QEMU, kernel, busybox, and our executable with the libraries it needs.
// arm64 takes Debian's packages for that architecture: CDH_GUEST_KERNEL_ARM64 and CDH_GUEST_BUSYBOX_ARM64 name
// the files (apt-get -o APT::Architecture=arm64 download linux-image-… busybox-static, then dpkg-deb -x).
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { TARGETS } from "../../build/targets.ts";
import { builtExecutable, executablePath } from "./executable.ts";
import { missingProgram } from "./gate.ts";
import { runTool } from "./run-tool.ts";

export interface GuestMachine {
  name: string;
  /** QEMU with what tells it the machine. */
  qemu: string[];
  console: string;
  kernel: () => string | undefined;
  busybox: string;
  executable: () => Promise<string>;
  /** Where each library is, and where it goes. */
  libraries: (executable: string) => Promise<{ from: string; to: string }[]>;
  obstacle: () => string | undefined;
}

const TCG = ["-accel", "tcg,thread=multi"];
const CROSS = "/usr/aarch64-linux-gnu/lib";
const ARM64_LIBRARIES = ["ld-linux-aarch64.so.1", "libc.so.6", "libm.so.6", "libdl.so.2"];

export const X64_GUEST: GuestMachine = {
  name: "x64",
  // QEMU 7.2 emulates cmpxchg16b of Linux 6.12 wrongly under TCG; without it every kernel boots.
  qemu: ["qemu-system-x86_64", "-machine", "q35", ...TCG, "-cpu", "Nehalem,-cx16"],
  console: "ttyS0",
  kernel: () => named("CDH_GUEST_KERNEL") ?? kernelInBoot(),
  busybox: "/bin/busybox",
  executable: executablePath,
  libraries: async (executable) => {
    const listed = await runTool(["ldd", executable]);
    const paths = [...listed.matchAll(/(\/\S+\.so\S*) \(/g)].map((match) => match[1] ?? "");
    return paths.map((path) => ({ from: path, to: path }));
  },
  obstacle: () => {
    if (process.arch !== "x64") return "needs an x64 machine";
    if (X64_GUEST.kernel() === undefined) return "needs a guest kernel (CDH_GUEST_KERNEL)";
    return missingProgram("qemu-system-x86_64") ?? missingProgram("busybox");
  },
};

export const ARM64_GUEST: GuestMachine = {
  name: "arm64",
  qemu: ["qemu-system-aarch64", "-machine", "virt", ...TCG, "-cpu", "max,pauth-impdef=on"],
  console: "ttyAMA0",
  kernel: () => named("CDH_GUEST_KERNEL_ARM64"),
  busybox: named("CDH_GUEST_BUSYBOX_ARM64") ?? "",
  executable: async () => {
    const target = TARGETS.find(({ name }) => name === "linux-arm64-gnu");
    if (target === undefined) throw new Error("there is no arm64 target");
    return builtExecutable(target);
  },
  libraries: async () =>
    [...ARM64_LIBRARIES, "libpthread.so.0"].map((name) => ({
      from: join(CROSS, name),
      to: join("/lib", name),
    })),
  obstacle: () => {
    if (ARM64_GUEST.kernel() === undefined) return "needs CDH_GUEST_KERNEL_ARM64";
    if (ARM64_GUEST.busybox === "") return "needs CDH_GUEST_BUSYBOX_ARM64";
    if (!existsSync(CROSS)) return "needs libc6-arm64-cross";
    return missingProgram("qemu-system-aarch64");
  },
};

function named(variable: string): string | undefined {
  const given = process.env[variable] ?? "";
  return given === "" ? undefined : given;
}

function kernelInBoot(): string | undefined {
  const files = existsSync("/boot") ? readdirSync("/boot") : [];
  const found = files.find((name) => name.startsWith("vmlinuz-"));
  return found === undefined ? undefined : join("/boot", found);
}
