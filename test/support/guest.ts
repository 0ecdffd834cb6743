// A guest machine under QEMU (TCG, some 15 s) that has nothing but busybox, the composer and its libraries.
// Its kernel is any amd64 one with a serial console: CDH_GUEST_KERNEL names it, or it is found in /boot.
// Debian's: apt-get download linux-image-6.1.0-XX-cloud-amd64, then dpkg-deb -x.
import { existsSync, readdirSync } from "node:fs";
import { chmod, copyFile, cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { formatEnvFile } from "../../src/config/env-file.ts";
import { executablePath } from "./executable.ts";
import { missingProgram } from "./gate.ts";
import { runTool } from "./run-tool.ts";

const INIT = join(import.meta.dir, "../fixtures/guest/init.sh");
const BUSYBOX = "/bin/busybox";
const TIMEOUT_MS = 300_000;

export function guestObstacle(): string | undefined {
  if (process.arch !== "x64") return "needs an x64 machine";
  return (
    missingProgram("qemu-system-x86_64") ??
    missingProgram("bsdtar") ??
    missingProgram("busybox") ??
    (guestKernel() === undefined ? "needs a guest kernel (CDH_GUEST_KERNEL)" : undefined)
  );
}

function guestKernel(): string | undefined {
  const given = process.env["CDH_GUEST_KERNEL"];
  if (given !== undefined && given !== "") return given;
  const files = existsSync("/boot") ? readdirSync("/boot") : [];
  const found = files.find((name) => name.startsWith("vmlinuz-"));
  return found === undefined ? undefined : join("/boot", found);
}

/** What the guest says on its console, from a crash in each of the cgroups to its end. */
export async function runGuest(
  folder: string,
  { pattern, cgroups }: { pattern: string; cgroups: readonly string[] },
): Promise<string> {
  const root = await makeGuestRoot(folder, INIT, "h/cdc");
  await mkdir(join(root, "h/cores"), { recursive: true });
  await writeFile(join(root, "pattern"), pattern);
  await writeFile(join(root, "cgroups"), cgroups.map((path) => `${path}\n`).join(""));
  // Its disk is its memory: no dump is to give way to another.
  const settings = { CORE_DIR: "/h/cores", DISK_QUOTA: "100%", DISK_FREE: "0", DISK_RESERVE: "0" };
  await writeFile(join(root, "h/.env"), formatEnvFile({ ...settings, CRASH_LOOP_LIMIT: 0 }));
  return bootGuest(folder, root);
}

/** A root with busybox, `init`, and our executable at `program` with its libraries. */
export async function makeGuestRoot(
  folder: string,
  init: string,
  program: string,
): Promise<string> {
  const root = join(folder, "root");
  await mkdir(join(root, "bin"), { recursive: true });
  await mkdir(join(root, dirname(program)), { recursive: true });
  await copyFile(BUSYBOX, join(root, "bin/busybox"));
  await copyFile(init, join(root, "init"));
  await chmod(join(root, "init"), 0o755);
  const executable = await executablePath();
  await copyFile(executable, join(root, program));
  for (const library of await librariesOf(executable)) {
    await mkdir(join(root, dirname(library)), { recursive: true });
    await cp(library, join(root, library), { dereference: true });
  }
  return root;
}

/** What the guest says on its console until it ends. */
export async function bootGuest(folder: string, root: string): Promise<string> {
  const initrd = join(folder, "initrd.gz");
  const pack = `cd "$1" && bsdtar --format newc -cf - . | gzip -1 >"$2"`;
  await runTool(["sh", "-c", pack, "sh", root, initrd]);
  return boot(initrd);
}

async function librariesOf(executable: string): Promise<string[]> {
  const listed = await runTool(["ldd", executable]);
  return [...listed.matchAll(/(\/\S+\.so\S*) \(/g)].map((match) => match[1] ?? "");
}

async function boot(initrd: string): Promise<string> {
  // QEMU 7.2 emulates cmpxchg16b of Linux 6.12 wrongly under TCG; without it every kernel boots.
  const machine = ["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "Nehalem,-cx16"];
  const devices = ["-smp", "2", "-m", "1500", "-nodefaults", "-nographic", "-serial", "stdio"];
  const system = ["-kernel", guestKernel() ?? "", "-initrd", initrd, "-no-reboot"];
  const command = ["-append", "console=ttyS0 quiet panic=-1 rdinit=/init"];
  const child = Bun.spawn(["qemu-system-x86_64", ...machine, ...devices, ...system, ...command], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  return (await child.stdout.text()).replaceAll("\r", "");
}
