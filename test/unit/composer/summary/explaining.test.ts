// A crash is explained while its core still drains: by a process that stands behind all others until the dump waits for
// it.
import { afterEach, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { join } from "node:path";
import { AttemptLog } from "../../../../src/composer/attempt.ts";
import { Explaining } from "../../../../src/composer/summary/explaining.ts";
import { pinHeld } from "../../../../src/host/held-process.ts";
import { sampleCrash } from "../../../support/sample-crash.ts";
import { syntheticCore, X86 } from "../../../support/synthetic-core.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const [SCHED_OTHER, SCHED_IDLE] = [0, 5];
const SUMMARY = JSON.stringify({
  title: "SIGSEGV in f (prog)",
  fingerprint: { bug: "0123456789abcdef", exact: "fedcba9876543210" },
});
const core = syntheticCore({ threads: [{ tid: 1, registers: { [X86.rsp]: 0n } }] });

const children: Bun.Subprocess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function startHeld(): number {
  const child = Bun.spawn(["sleep", "1000"], { stdio: ["ignore", "ignore", "ignore"] });
  children.push(child);
  return child.pid;
}

/** A shell's script explains; $0 is the folder, $1 SUMMARY. */
function explaining(
  folder: string,
  script: string,
  hostPid = startHeld(),
  deadline = new AbortController().signal,
) {
  const attempts = new AttemptLog();
  const running = new Explaining({
    crash: sampleCrash({ hostPid, hostTid: hostPid }),
    held: pinHeld("/proc", hostPid),
    timeoutSeconds: 60,
    isUrgent: false,
    attempts,
    deadline,
    modules: undefined,
    procDir: "/proc",
    command: ["sh", "-c", script, folder, SUMMARY],
  });
  return { running, attempts };
}

/** Field 41 of /proc/PID/stat. */
const policyIn = (stat: string) => Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[38]);
const policyOf = (pid: number) => policyIn(readFileSync(`/proc/${pid}/stat`, "latin1"));

async function appears(path: string): Promise<string> {
  while (!existsSync(path)) await Bun.sleep(2);
  return readFileSync(path, "utf8").trim();
}

const SAYS_PRIORITY = `echo $$ > $0/p; mv $0/p $0/pid; cat > /dev/null; cat /proc/$$/stat > $0/ended; printf %s "$1"`;

test("it starts when the notes have passed, and is brought forward when the process was let go", () =>
  withFolder(async (folder) => {
    const { running, attempts } = explaining(folder, SAYS_PRIORITY);
    running.take(core.subarray(0, 100));
    running.take(core.subarray(100));
    // The core's end has not come.
    const pid = Number(await appears(join(folder, "pid")));
    expect(getPriority(pid)).toBe(5);
    expect(policyOf(pid)).toBe(process.getuid?.() === 0 ? SCHED_IDLE : SCHED_OTHER);
    await running.copied();
    running.hurry();
    const found = await running.finish(new Uint8Array(0));
    expect(found?.title).toBe("SIGSEGV in f (prog)");
    expect(policyIn(readFileSync(join(folder, "ended"), "utf8"))).toBe(SCHED_OTHER);
    expect(attempts.missing).toEqual([]);
  }));

test("a core that the deadline cut has its summary, which was ready before", () =>
  withFolder(async (folder) => {
    const { running, attempts } = explaining(
      folder,
      SAYS_PRIORITY,
      startHeld(),
      AbortSignal.abort(),
    );
    running.take(core);
    await appears(join(folder, "pid"));
    const found = await running.finish(new Uint8Array(0));
    expect([found?.title, attempts.missing]).toEqual(["SIGSEGV in f (prog)", []]);
  }));

test("a dump that is left out meanwhile has no explainer any more", () =>
  withFolder(async (folder) => {
    const script = `echo $$ > $0/p; mv $0/p $0/pid; sleep 1000`;
    const { running } = explaining(folder, script);
    running.take(core);
    const pid = await appears(join(folder, "pid"));
    await running.abandon();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  }));

test("where the process is gone, dump-info says so", () =>
  withFolder(async (folder) => {
    const { running, attempts } = explaining(folder, SAYS_PRIORITY, 2 ** 22 + 1);
    running.take(core);
    await running.copied();
    expect(await running.finish(new Uint8Array(0))).toBeUndefined();
    const why = "no process is held whose memory could be copied";
    expect(attempts.missing).toEqual([{ what: "summary", why }]);
  }));
