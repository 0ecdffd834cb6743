// A guest machine under QEMU (TCG, some 15 s) that has nothing but busybox, the composer and its libraries.
// Which machines there are, and where their kernels come from, is in guest-machine.ts.
import { chmod, copyFile, cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { formatEnvFile } from "../../src/model/env-file.ts";
import { missingProgram } from "./gate.ts";
import { X64_GUEST, type GuestMachine } from "./guest-machine.ts";
import { runTool } from "./run-tool.ts";

const INIT = join(import.meta.dir, "../fixtures/guest/init.sh");
const TIMEOUT_MS = 300_000;

export function guestObstacle(machine = X64_GUEST): string | undefined {
  return machine.obstacle() ?? missingProgram("bsdtar");
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
  machine: GuestMachine = X64_GUEST,
): Promise<string> {
  const root = join(folder, "root");
  await mkdir(join(root, "bin"), { recursive: true });
  await mkdir(join(root, dirname(program)), { recursive: true });
  await copyFile(machine.busybox, join(root, "bin/busybox"));
  await copyFile(init, join(root, "init"));
  const executable = await machine.executable();
  await copyFile(executable, join(root, program));
  for (const path of ["bin/busybox", "init", program]) await chmod(join(root, path), 0o755);
  for (const { from, to } of await machine.libraries(executable)) {
    await mkdir(join(root, dirname(to)), { recursive: true });
    await cp(from, join(root, to), { dereference: true });
    await chmod(join(root, to), 0o755);
  }
  return root;
}

/** What the guest says on its console until it ends. */
export async function bootGuest(
  folder: string,
  root: string,
  machine: GuestMachine = X64_GUEST,
): Promise<string> {
  const initrd = join(folder, "initrd.gz");
  const pack = `cd "$1" && bsdtar --format newc -cf - . | gzip -1 >"$2"`;
  await runTool(["sh", "-c", pack, "sh", root, initrd]);
  const devices = ["-smp", "2", "-m", "1500", "-nodefaults", "-nographic", "-serial", "stdio"];
  const system = ["-kernel", machine.kernel() ?? "", "-initrd", initrd, "-no-reboot"];
  const command = ["-append", `console=${machine.console} quiet panic=-1 rdinit=/init`];
  const child = Bun.spawn([...machine.qemu, ...devices, ...system, ...command], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  return (await child.stdout.text()).replaceAll("\r", "");
}
