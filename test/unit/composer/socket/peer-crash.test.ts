// What /proc tells of a process that is dying, in the kernel's own forms.
import { expect, test } from "bun:test";
import {
  isDumping,
  parseCoreLimit,
  parseExitSignal,
  parseStatus,
  readPeerCrash,
} from "../../../../src/composer/socket/peer-crash.ts";

/** /proc/PID/stat of Linux 6.18, with a comm that looks like its end. */
function statLine({ flags = 0x400508, exitCode = 11 } = {}): string {
  const before = ["S", 1, 2, 3, 0, -1, flags];
  const between = Array.from({ length: 52 - 10 }, (_, index) => index);
  return `7 (a) R 1 (b)) ${[...before, ...between, exitCode].join(" ")}\n`;
}

test("the thread that writes the core has the kernel's own flag", () => {
  expect(isDumping(statLine())).toBe(false);
  expect(isDumping(statLine({ flags: 0x400708 }))).toBe(true);
});

test("the signal is the exit code's, without the bit for a core", () => {
  expect(parseExitSignal(statLine())).toBe(11);
  expect(parseExitSignal(statLine({ exitCode: 0x86 }))).toBe(6);
});

test("a signal that is not shown to us is unknown", () => {
  expect(parseExitSignal(statLine({ exitCode: 0 }))).toBeNull();
});

test("ids are the real ones, the pid the innermost", () => {
  const status =
    "Name:\tUid:\t9\nUid:\t12\t13\t14\t15\nGid:\t22\t23\t24\t25\nNStgid:\t700\t70\t7\nNSpid:\t701\t71\t8\n";
  expect(parseStatus(status)).toEqual({ uid: 12, gid: 22, pid: 7 });
  expect(parseStatus(status.replace("700\t70\t7", "700"))).toMatchObject({ pid: 700 });
});

test("a status without ids is refused", () => {
  expect(() => parseStatus("Name:\tx\n")).toThrow("no Uid");
});

test("the core limit is printed as %c prints it", () => {
  const line = (value: string) => `Limit\nMax core file size        ${value}      9 bytes\n`;
  expect(parseCoreLimit(line("0"))).toBe("0");
  expect(parseCoreLimit(line("unlimited"))).toBe("18446744073709551615");
});

test("of a process that is gone, what the connection says is left, and why", () => {
  const peer = { pid: 0x7fff_fff0, pidfd: -1, dumpable: 2 };
  const { crash, complaints } = readPeerCrash("/proc", peer, 1700);
  expect(crash).toMatchObject({ hostPid: peer.pid, dumpable: 2, timestampSeconds: 1700 });
  expect(crash).toMatchObject({ signal: null, exeName: "", hostname: "" });
  expect(complaints.join()).toContain("ENOENT");
});
