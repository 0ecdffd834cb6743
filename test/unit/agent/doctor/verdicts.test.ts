// What the doctor says of what it finds, without a kernel: each failure with its evidence and its remedy.
import { expect, test } from "bun:test";
import { judgeSilence, judgeZip } from "../../../../src/agent/doctor/check-canary.ts";
import { judgeCapture } from "../../../../src/agent/doctor/check-capture.ts";
import { judgeReach } from "../../../../src/agent/doctor/check-harvest.ts";
import { judgePattern } from "../../../../src/agent/doctor/check-kernel.ts";
import { judgeNotes } from "../../../../src/agent/doctor/check-notes.ts";
import { judgeUserNamespace } from "../../../../src/agent/doctor/check-root.ts";
import { judgeClock } from "../../../../src/agent/doctor/check-store.ts";
import type { Reach } from "../../../../src/agent/harvest/reach.ts";
import type { InstalledCapture } from "../../../../src/agent/doctor/installed-capture.ts";
import { FILE_PATTERN } from "../../../../src/model/core-file-pattern.ts";
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

test("silence without a word names the executable, and the ways that need none", () => {
  const verdict = judgeSilence(SEGFAULT, OURS, HOST, undefined);
  expect(verdict.found).toContain(`did not start ${HOST}/cdc`);
  expect(verdict.remedy).toContain("VENDOR=auto");
  expect(verdict.remedy).toContain("CAPTURE_MODE=socket");
  expect(verdict.remedy).toContain("daemonset.captureFallback=true");
});

test("silence by socket and by file is about the listener, and about /tmp", () => {
  const socket = judgeSilence(SEGFAULT, `@@${HOST}/cdc.sock`, HOST, undefined);
  expect(socket.remedy).toContain("the listener's log");
  const file = judgeSilence(SEGFAULT, FILE_PATTERN, HOST, undefined);
  expect(file.found).toContain("no core file into our own /tmp");
});

test.each([
  [`@@${HOST}/cdc.sock`, "connects to /var/mnt/core-dump-handler/cdc.sock"],
  [`@${HOST}/cdc.sock`, "connects to /var/mnt/core-dump-handler/cdc.sock"],
  [FILE_PATTERN, "in the crashing process's own root"],
])("core_pattern %p is right where it was chosen, and wrong where a pipe was", (pattern, does) => {
  expect(judgePattern(pattern, pattern, HOST)).toMatchObject({ status: "ok" });
  expect(judgePattern(pattern, pattern, HOST).found).toContain(does);
  const verdict = judgePattern(pattern, OURS, HOST);
  expect(verdict.status).toBe("failed");
  expect(verdict.found).toContain("for another CAPTURE_MODE");
});

const SOCKET: InstalledCapture = {
  mode: "socket",
  pattern: `@@${HOST}/cdc.sock`,
  note: { mode: "socket", because: "it works", tried: "pipe: no", proven: true, boot: "b" },
};

test("the capture mode is told with why, and why not the others", () => {
  expect(judgeCapture(SOCKET, "auto", "answers")).toEqual({
    status: "ok",
    found: "socket: it works (pipe: no)",
  });
});

test("a mode that no canary has shown is a warning that names the other ways", () => {
  const note = { ...SOCKET.note, mode: "pipe", proven: false } as InstalledCapture["note"];
  const verdict = judgeCapture({ ...SOCKET, mode: "pipe", note }, "auto", "answers");
  expect(verdict.status).toBe("warning");
  expect(verdict.remedy).toContain("daemonset.captureFallback=true");
  expect(judgeCapture({ ...SOCKET, mode: "pipe", note }, "pipe", "answers").status).toBe("ok");
});

test("another mode than CAPTURE_MODE says, or a socket without a listener, is a failure", () => {
  expect(judgeCapture(SOCKET, "pipe", "answers").found).toBe(
    "CAPTURE_MODE is pipe, and what is installed is socket",
  );
  expect(judgeCapture(SOCKET, "socket", "absent").found).toContain("no listener answers");
  expect(judgeCapture(SOCKET, "socket", "silent").found).toContain("does not answer");
});

test("files that are out of reach are a failure; some of them, a warning", () => {
  const unseen = ["ns/pod: /x cannot be seen from here"];
  const judge = (reach: Partial<Reach>) =>
    judgeReach({ seen: 3, unseen: [], noRuntime: undefined, lacking: [], ...reach });
  expect(judge({}).status).toBe("ok");
  expect(judge({ unseen })).toMatchObject({ status: "warning", evidence: unseen[0] });
  expect(judge({ seen: 0, unseen }).status).toBe("failed");
  expect(judge({ seen: 0, noRuntime: "nobody there" }).found).toContain("nobody there");
  expect(judge({ lacking: ["CAP_LEASE"] }).found).toBe("the agent has no CAP_LEASE");
});

test("the canary's zip tells of a runtime's endpoint that is wrong, which no pod can see by itself", () => {
  const complaint =
    "CRIO_ENDPOINT: /run/containerd/containerd.sock answers, and not /wrong.sock: ENOENT";
  const well = { missing: [], settingsIgnored: [] };
  expect(judgeZip("crashed", well)).toMatchObject({ status: "ok", found: "crashed" });
  expect(judgeZip("crashed", { ...well, settingsIgnored: [complaint] })).toMatchObject({
    status: "warning",
    found: "crashed; a setting does not fit the host",
    evidence: complaint,
  });
  const missing = ["container runtime: nobody answered"];
  expect(judgeZip("crashed", { missing, settingsIgnored: [complaint] })).toMatchObject({
    status: "warning",
    evidence: missing[0],
  });
});

test("a core's list of mapped files that the kernel left out is a warning, until the limit is raised", () => {
  // As Linux 6.18 logged it.
  const message =
    "coredump Note size too large: 4224000 (does kernel.core_file_note_size_limit sysctl need adjustment?";
  const records = [{ message: "usb 1-1: new device" }, { message }];
  const verdict = judgeNotes(records, 4_194_304);
  expect(verdict).toMatchObject({ status: "warning", evidence: message });
  expect(verdict.found).toContain("4224000 bytes");
  expect(judgeNotes(records, 8_388_608).status).toBe("ok");
  expect(judgeNotes([], 4_194_304).status).toBe("ok");
  const forged = "coredump: 7(x): over core_pipe_limit; coredump Note size too large: 9999999";
  expect(judgeNotes([{ message: forged }], 4_194_304).status).toBe("ok");
});
