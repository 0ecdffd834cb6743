// The compiled explainer, started by its composer for a crash that the kernel handed over, misbehaves after it has looked
// at hostile bytes: it costs the summary, and nothing else. It is held at that moment by a runtime that does not answer,
// because it waits for the container's log until then.
import { expect } from "bun:test";
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ANSWER_MAX_BYTES } from "../../../src/model/crash-excerpt.ts";
import { cgroupObstacle, withCgroup } from "../../support/cgroups.ts";
import { EXPLAIN_SOURCES } from "../../support/crash-builds.ts";
import { compilerObstacle, startSleeper } from "../../support/crash-program.ts";
import { readInfo } from "../../support/dump-check.ts";
import { gatedTest, kernelObstacle, missingProgram } from "../../support/gate.ts";
import { withComposer } from "../../support/installed-composer.ts";
import { runTool } from "../../support/run-tool.ts";
import { withStrangeSocket } from "../../support/strange-sockets.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const obstacles = [
  kernelObstacle(),
  compilerObstacle(),
  cgroupObstacle(),
  missingProgram("gdb"),
  missingProgram("unzip"),
];
const POLL_MS = 10;

/** Returns the dump's info after `misbehave` was at work on the explainer. */
async function crashWith(
  misbehave: (explainer: number) => Promise<void> | void,
  timeoutSeconds = 60,
): Promise<Record<string, unknown>> {
  return withFolder(async (folder) => {
    const socket = join(folder, "silent.sock");
    const settings = {
      IGNORE_CRIO: false,
      CRIO_ENDPOINT: `unix://${socket}`,
      CRI_CLIENT: "native",
      CRI_TIMEOUT: 120,
      EXPLAIN_TIMEOUT: timeoutSeconds,
    };
    return withComposer(settings, async (composer) => {
      await withStrangeSocket("silent", socket, async () => {
        const sleeper = await startSleeper("sleeper");
        const cgroup = `/kubepods/besteffort/pod${randomUUID()}/${randomBytes(32).toString("hex")}`;
        await withCgroup(sleeper.pid, cgroup, async () => {
          const ended = sleeper.crash("SIGABRT");
          await misbehave(await confinedExplainer());
          await ended;
        });
      });
      // The runtime is gone: the composer goes on. Nobody's end made a second dump.
      const zips = await composer.zips(1);
      expect(zips).toHaveLength(1);
      expect((await composer.settledFiles()).filter((name) => !name.endsWith(".zip"))).toEqual([]);
      return readInfo(zips[0] ?? "none");
    });
  });
}

/** Waits until an explainer has given up its rights. */
async function confinedExplainer(): Promise<number> {
  for (;;) {
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/u.test(name))) {
      const command = await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "");
      const status = await readFile(`/proc/${pid}/status`, "latin1").catch(() => "");
      if (
        command.startsWith("core-dump-handler\0explain-crash\0") &&
        /^Seccomp:\t2$/mu.test(status)
      )
        return Number(pid);
    }
    await Bun.sleep(POLL_MS);
  }
}

/** The core is whole, and the summary's absence has a reason. */
function expectOnlyTheSummaryMissing(info: Record<string, unknown>, why: string): void {
  expect(info).toMatchObject({ exe: "sleeper", core_complete: true, title: null, bug: null });
  expect(info["missing"]).toContainEqual({ what: "summary", why: expect.stringContaining(why) });
}

gatedTest(
  "an explainer that dies costs the summary, and is no crash of its own",
  obstacles,
  async () => {
    const info = await crashWith((explainer) => void process.kill(explainer, "SIGSEGV"));
    expectOnlyTheSummaryMissing(info, "without an answer (signal SIGSEGV)");
  },
);

gatedTest("an explainer that hangs is killed at its time", obstacles, async () => {
  let explainer = 0;
  const info = await crashWith((pid) => {
    explainer = pid;
    process.kill(pid, "SIGSTOP");
  }, 1);
  expectOnlyTheSummaryMissing(info, "no answer in 1000 ms");
  expect(existsSync(`/proc/${explainer}`)).toBe(false);
});

gatedTest(
  "an explainer that was taken over can do nothing, and write no more than an answer",
  obstacles,
  async () => {
    let found: Record<string, unknown> = {};
    const info = await crashWith(async (explainer) => {
      const script = join(EXPLAIN_SOURCES, "misbehave.py");
      const said = await runTool(["gdb", "-batch", "-nx", "-p", String(explainer), "-x", script]);
      found = JSON.parse(/^FOUND(.*)$/mu.exec(said)?.[1] ?? "{}") as Record<string, unknown>;
    });
    const { writes, ...tried } = found;
    expect(tried).toEqual({
      forks: -1,
      "opens a file": -1,
      "makes a file": -1,
      "makes a socket": -1,
      "signals its composer": -1,
      "becomes root": -1,
      "runs a program": -1,
    });
    expect(writes).toBe(ANSWER_MAX_BYTES);
    expect(existsSync("/tmp/explainer-was-here")).toBe(false);
    expectOnlyTheSummaryMissing(info, "");
  },
);
