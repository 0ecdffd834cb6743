import { expect, test } from "bun:test";
import { dlopen } from "bun:ffi";
import { closeSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  findLiveThread,
  parseStat,
  pinThread,
  readExePath,
  verifyPinned,
} from "../../../../src/composer/metadata/process.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const statOf = (comm: string, state: string, startTime: string) =>
  `42 (${comm}) ${state} 1 42 42 0 -1 4194560 ${"0 ".repeat(12)}${startTime} 0 0\n`;

const main = (pid: number) => ({ pid, tid: pid });

/** A /proc in which the threads of process 42 have these stat files. */
function writeThreads(procDir: string, stats: Record<number, string>): void {
  for (const [tid, stat] of Object.entries(stats)) {
    mkdirSync(join(procDir, "42/task", tid), { recursive: true });
    writeFileSync(join(procDir, "42/task", tid, "stat"), stat);
  }
}

function openPidfd(pid: number): number {
  const libc = dlopen("libc.so.6", { pidfd_open: { args: ["i32", "u32"], returns: "i32" } });
  try {
    return libc.symbols.pidfd_open(pid, 0);
  } finally {
    libc.close();
  }
}

async function withSleeper(body: (child: Bun.Subprocess) => void | Promise<void>) {
  const child = Bun.spawn(["sleep", "60"]);
  try {
    await body(child);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

test("the start time is field 22, whatever comm holds", () => {
  for (const comm of ["app", "a b", "a) R 1 1 1", ") Z (", "x\ny"])
    expect(parseStat(statOf(comm, "D", "987654"))).toEqual({ state: "D", startTime: "987654" });
  const own = parseStat(readFileSync("/proc/self/stat", "latin1"));
  expect(Number(own.startTime)).toBeGreaterThan(0);
});

test("text that is no stat line is refused", () => {
  for (const text of ["", "42 (x) R", "garbage", statOf("a", "R", "x")])
    expect(() => parseStat(text)).toThrow();
});

test("a living process is pinned and stays itself", () =>
  withSleeper(({ pid }) => {
    const pinned = pinThread("/proc", main(pid), null);
    verifyPinned("/proc", pinned);
    expect(readExePath("/proc", main(pid))).toEndWith("sleep");
  }));

test("a pid that became another process's voids what was read", () =>
  withFolder(async (procDir) => {
    writeThreads(procDir, { 42: statOf("app", "D", "100") });
    const pinned = pinThread(procDir, main(42), null);
    writeThreads(procDir, { 42: statOf("app", "D", "101") });
    expect(() => verifyPinned(procDir, pinned)).toThrow("another one now");
  }));

test("a process that has ended is not pinned, and no longer verified", () =>
  withFolder(async (procDir) => {
    expect(() => pinThread(procDir, main(42), null)).toThrow("ENOENT");
    writeThreads(procDir, { 42: statOf("app", "D", "100") });
    const pinned = pinThread(procDir, main(42), null);
    writeThreads(procDir, { 42: statOf("app", "Z", "100") });
    expect(() => verifyPinned(procDir, pinned)).toThrow("has ended");
    expect(() => pinThread(procDir, main(42), null)).toThrow("has ended");
  }));

test("a pidfd decides whom a pid means, also after the process is gone", () =>
  withSleeper(async (child) => {
    const pidfd = openPidfd(child.pid);
    expect(pidfd).toBeGreaterThan(2);
    try {
      const pinned = pinThread("/proc", main(child.pid), pidfd);
      verifyPinned("/proc", pinned);
      expect(() => pinThread("/proc", main(process.pid), pidfd)).toThrow("means process");
      child.kill("SIGKILL");
      await child.exited;
      expect(() => verifyPinned("/proc", pinned)).toThrow();
    } finally {
      closeSync(pidfd);
    }
  }));

test("a file descriptor that is no pidfd is passed over: the start time is what is left", () => {
  const fd = openSync("/dev/null", "r");
  try {
    expect(pinThread("/proc", main(process.pid), fd).pidfd).toBeNull();
    expect(pinThread("/proc", main(process.pid), 999).pidfd).toBeNull();
  } finally {
    closeSync(fd);
  }
});

test("an executable's path is told as the link says, or not at all", () =>
  withFolder(async (procDir) => {
    mkdirSync(join(procDir, "42/task/42"), { recursive: true });
    expect(readExePath(procDir, main(42))).toBeNull();
    symlinkSync("/bin/app (deleted)", join(procDir, "42/task/42/exe"));
    expect(readExePath(procDir, main(42))).toBe("/bin/app (deleted)");
  }));

test("a process is looked at through its first thread, or through one that lives", () =>
  withFolder(async (procDir) => {
    const [alive, ended] = [statOf("app", "S", "100"), statOf("app", "Z", "100")];
    writeThreads(procDir, { 42: alive, 43: alive });
    expect(findLiveThread(procDir, 42)).toEqual({ pid: 42, tid: 42 });
    writeThreads(procDir, { 42: ended, 43: ended, 44: alive });
    expect(findLiveThread(procDir, 42)).toEqual({ pid: 42, tid: 44 });
    writeThreads(procDir, { 44: ended });
    expect(findLiveThread(procDir, 42)).toEqual({ pid: 42, tid: 42 });
  }));
