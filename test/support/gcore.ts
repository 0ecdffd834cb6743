// A core of a program of ours that waits, made by gdb's gcore: no crash and no kernel setting is needed for it.
import { join } from "node:path";

export const GCORE_PROGRAMS = ["cc", "gdb"];

/** Builds `folder/app`, whose text makes it one build of many; returns its path. */
export function buildWaiting(folder: string, text: string, ldFlag = "-Wl,--build-id"): string {
  const path = join(folder, "app");
  const source = `#include <unistd.h>\nchar build[] = "${text}";\nint main(void) { for (;;) pause(); }\n`;
  const { success, stderr } = Bun.spawnSync(["cc", "-x", "c", "-", ldFlag, "-o", path], {
    stdin: Buffer.from(source),
  });
  if (!success) throw new Error(`cc: ${stderr.toString()}`);
  return path;
}

/** The core of a program that runs for a moment; with arguments it is waited for until it says something. */
export async function coreOf(
  program: string,
  corePath: string,
  args: readonly string[] = [],
): Promise<void> {
  const child = Bun.spawn([program, ...args], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    if (args.length > 0) await child.stdout.getReader().read();
    const gcore = ["gdb", "-nx", "-batch", "-p", `${child.pid}`, "-ex", `gcore ${corePath}`];
    const { stdout, stderr } = Bun.spawnSync(gcore);
    if (!(await Bun.file(corePath).exists()))
      throw new Error(`gcore: ${stdout.toString()}${stderr.toString()}`);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}
