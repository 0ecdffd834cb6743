// A listener that is stopped, crashed or killed while crashes come in: no process stays held, and as long as one
// of its two processes lives, no crash is lost.
import { expect } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { compilerObstacle, startSleeper } from "../../support/crash-program.ts";
import { startCrashStream } from "../../support/crash-stream.ts";
import { readInfo } from "../../support/dump-check.ts";
import { gatedTest, socketObstacle } from "../../support/gate.ts";
import {
  composersAtWork,
  withComposer,
  type InstalledComposer,
} from "../../support/installed-composer.ts";
import { askUntilAnswered } from "../../support/listener.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const obstacles = [socketObstacle(), compilerObstacle(), readersObstacle()];
/** A composer's, in seconds; a crashed process that is held for longer ends with SIGKILL, which no test allows. */
const TIMEOUT = 30;
const HELD_MAX_MS = (TIMEOUT + 15) * 1000;

async function whole(composer: InstalledComposer): Promise<number[]> {
  const zips = await composer.zips(1);
  const infos = await Promise.all(zips.map((zip) => readInfo(zip)));
  return infos
    .filter((info) => info["core_complete"] === true)
    .map((info) => Number(info["host_pid"]));
}

/** Crashes before, while and after `hurt` does its work. */
async function crashesAround(composer: InstalledComposer, hurt: () => Promise<void>) {
  const stream = startCrashStream({ timeoutMs: HELD_MAX_MS });
  // Not composer.zips(1), which waits until no composer is at work: in a stream there may always be one.
  while (!(await readdir(composer.coreDir)).some((name) => name.endsWith(".zip")))
    await Bun.sleep(20);
  const large = await startSleeper("mapping", ["200", "random"], { timeoutMs: HELD_MAX_MS });
  const dumping = large.crash();
  await hurt();
  expect((await dumping).signalCode).toBe("SIGSEGV");
  const ends = await stream.stop();
  const last = await startSleeper("mapping", ["4"], { timeoutMs: HELD_MAX_MS });
  expect((await last.crash()).signalCode).toBe("SIGSEGV");
  expect(new Set(ends.values())).toEqual(new Set(["SIGSEGV"]));
  return new Set([...ends.keys(), large.pid, last.pid]);
}

for (const signal of ["SIGKILL", "SIGSEGV", "SIGSTOP"] as const)
  for (const who of ["worker", "keeper"] as const)
    gatedTest(`${signal} to the ${who} costs no crash`, obstacles, () =>
      withComposer(
        { TIMEOUT },
        async (composer) => {
          const before = await askUntilAnswered(composer.hostDir);
          const victim = before?.[who] ?? 0;
          expect(victim).toBeGreaterThan(1);
          const crashed = await crashesAround(composer, async () => {
            process.kill(victim, signal);
            // A new worker, or the old one without its keeper, answers in its place.
            await askUntilAnswered(composer.hostDir);
          });
          const after = await askUntilAnswered(composer.hostDir);
          if (who === "keeper" && signal === "SIGSTOP") process.kill(victim, "SIGCONT");
          if (who === "worker") expect(after?.worker).not.toBe(victim);
          else expect(after?.worker).toBe(before?.worker ?? -1);
          if (who === "keeper") expect(after?.keeper).toBe(signal === "SIGSTOP" ? victim : null);
          expect(new Set(await whole(composer))).toEqual(crashed);
        },
        "@@",
      ),
    );

gatedTest("a composer that hangs is ended, and its process freed", obstacles, () =>
  withComposer(
    { TIMEOUT: 1 },
    async (composer) => {
      const large = await startSleeper("mapping", ["400", "random"], { timeoutMs: HELD_MAX_MS });
      const dumping = large.crash();
      while ((await readdir(composer.coreDir)).length === 0) await Bun.sleep(5);
      const pids = await composersAtWork(join(composer.hostDir, "cdc"));
      for (const pid of pids) process.kill(pid, "SIGSTOP");
      expect((await dumping).signalCode).toBe("SIGSEGV");
      // The agent seals what is left (recovery); nothing here does.
      expect(await composer.settledFiles()).toHaveLength(1);
    },
    "@@",
  ),
);
