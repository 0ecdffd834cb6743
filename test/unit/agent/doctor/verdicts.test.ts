// What the doctor says of what it finds, without a kernel: each failure with its evidence and its remedy.
import { expect, test } from "bun:test";
import { judgeSilence } from "../../../../src/agent/doctor/check-canary.ts";
import { judgePattern } from "../../../../src/agent/doctor/check-kernel.ts";
import { judgeUserNamespace } from "../../../../src/agent/doctor/check-root.ts";
import { judgeClock } from "../../../../src/agent/doctor/check-store.ts";
import { planCorePattern } from "../../../../src/model/core-pattern.ts";

const HOST = "/var/mnt/core-dump-handler";
const OURS = planCorePattern(HOST, `${HOST}/cores`);

test.each([
  [OURS, "ok", "starts /var/mnt/core-dump-handler/cdc"],
  [`|${HOST}/cdc -e=%e`, "failed", "with other arguments"],
  ["|/usr/lib/systemd/systemd-coredump %P %u", "failed", "belongs to systemd-coredump"],
  ["|/usr/share/apport/apport -p%p", "failed", "belongs to apport"],
  ["core", "failed", "plain files named core"],
  ["", "failed", "nobody"],
])("core_pattern %p is %s", (pattern, status, sentence) => {
  const verdict = judgePattern(pattern, OURS, HOST);
  expect(verdict.status).toBe(status as "ok");
  expect(verdict.found).toContain(sentence);
  if (status === "failed") {
    expect(verdict.evidence).toBe(`kernel.core_pattern = ${pattern}`);
    expect(verdict.remedy).not.toBe("");
  }
});

test("a pattern that the kernel cut is called that", () => {
  const long = `|/${"x".repeat(200)}/cdc`;
  expect(judgePattern(long.slice(0, 127), long, "/x").found).toContain("cut core_pattern short");
});

test("root in a user namespace is not root", () => {
  expect(judgeUserNamespace("         0          0 4294967295\n").status).toBe("ok");
  expect(judgeUserNamespace("         0     100000      65536\n")).toMatchObject({
    status: "failed",
    evidence: "/proc/self/uid_map: 0     100000      65536",
  });
});

test.each([
  [undefined, "skipped"],
  [900, "ok"],
  [-45_000, "ok"],
  [120_000, "warning"],
  [20 * 60_000, "failed"],
  [-20 * 60_000, "failed"],
])("a clock that is %p ms ahead is %s", (aheadMs, status) => {
  expect(judgeClock(aheadMs).status).toBe(status as "ok");
});

test("the clock's direction and distance are named", () => {
  expect(judgeClock(20 * 60_000).found).toContain("20.0 minutes ahead of");
  expect(judgeClock(-20 * 60_000).found).toContain("20.0 minutes behind");
});

const SEGFAULT = { signal: "SIGSEGV" };

test("silence with a foreign core_pattern names who took it", () => {
  const verdict = judgeSilence(SEGFAULT, "|/lib/systemd/systemd-coredump %P", HOST, undefined);
  expect(verdict.found).toContain("taken by systemd-coredump while the canary crashed");
  expect(verdict.evidence).toContain("systemd-coredump %P");
});

test("silence with the kernel's word on core_pipe_limit names the limit", () => {
  const evidence = "kernel log: coredump: 7(cdh-0): over core_pipe_limit, skipping core dump";
  expect(judgeSilence(SEGFAULT, OURS, HOST, evidence)).toMatchObject({
    found: "the kernel dropped the crash: core_pipe_limit dumps were under way already",
    evidence,
  });
});

test("silence without a word names the executable", () => {
  const verdict = judgeSilence(SEGFAULT, OURS, HOST, undefined);
  expect(verdict.found).toContain(`did not start ${HOST}/cdc`);
  expect(verdict.remedy).toContain("VENDOR=auto");
});
