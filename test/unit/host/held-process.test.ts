// Only the very process that was pinned is killed, and only while it dumps core; the kernel's part is shown in
// e2e/kernel/vast-mappings.test.ts.
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endDumping, pinHeld } from "../../../src/host/held-process.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const DUMPS = 0x200;
const EXITS = 0x4;

/** /proc/PID and one thread of it, as a process that dumps or does not would look. */
function writeProcess(
  procDir: string,
  pid: number,
  {
    startTime,
    leader = "D",
    flags = DUMPS,
  }: { startTime: string; leader?: string; flags?: number },
) {
  const stat = (id: number, state: string) =>
    `${id} (a) b) ${state} 1 1 1 0 -1 ${flags} ${"0 ".repeat(12)}${startTime} 0 0\n`;
  for (const [thread, state] of [
    [pid, leader],
    [pid + 1, "D"],
  ] as const) {
    mkdirSync(join(procDir, String(pid), "task", String(thread)), { recursive: true });
    writeFileSync(join(procDir, String(pid), "task", String(thread), "stat"), stat(thread, state));
  }
  writeFileSync(join(procDir, String(pid), "stat"), stat(pid, leader));
}

/** A process of our own to be killed or not; procDir tells what it likes of it. */
async function withVictim(body: (pid: number, procDir: string) => Promise<void>) {
  const child = Bun.spawn(["sleep", "60"]);
  try {
    await withFolder((procDir) => body(child.pid, procDir));
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

const isAlive = (pid: number) => !/\) [ZX]/.test(statOf(pid));
function statOf(pid: number): string {
  return Bun.spawnSync(["cat", `/proc/${pid}/stat`]).stdout.toString() || ") X";
}

for (const leader of ["D", "Z"])
  test(`one that goes on dumping is killed (its first thread's state is ${leader})`, () =>
    withVictim(async (pid, procDir) => {
      writeProcess(procDir, pid, { startTime: "100", leader });
      const held = pinHeld(procDir, pid);
      expect(held && (await endDumping(procDir, held, 0))).toBe("killed");
      while (isAlive(pid)) await Bun.sleep(5);
    }));

test("one that does not dump, or another with its pid, is let be", () =>
  withVictim(async (pid, procDir) => {
    writeProcess(procDir, pid, { startTime: "100" });
    for (const now of [
      { startTime: "100", flags: 0 },
      { startTime: "100", flags: DUMPS | EXITS },
      { startTime: "101", flags: DUMPS },
    ]) {
      const held = pinHeld(procDir, pid);
      writeProcess(procDir, pid, now);
      expect(held && (await endDumping(procDir, held, 0))).toBe("ended");
      writeProcess(procDir, pid, { startTime: "100" });
    }
    expect(isAlive(pid)).toBe(true);
  }));

test("a process that is gone is not pinned, and ended where it was", () =>
  withVictim(async (pid, procDir) => {
    expect(pinHeld(procDir, pid)).toBeUndefined();
    writeProcess(procDir, pid, { startTime: "100" });
    const held = pinHeld(procDir, pid);
    writeFileSync(join(procDir, String(pid), "stat"), "");
    expect(held && (await endDumping(procDir, held, 1000))).toBe("ended");
    expect(isAlive(pid)).toBe(true);
  }));
