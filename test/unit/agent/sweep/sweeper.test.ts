import { expect, test } from "bun:test";
import { openSweeper } from "../../../../src/agent/sweep/sweeper.ts";
import type { SweepReport } from "../../../../src/agent/sweep/sweep.ts";
import { openLog } from "../../../../src/host/log.ts";

const QUIET = openLog({ level: "Error", format: "text", write: () => {} });
const NOTHING: SweepReport = {
  delivered: 0,
  busy: 0,
  waiting: 0,
  failed: 0,
  nextRetryMs: undefined,
};

function open(sweep: (run: number) => Promise<SweepReport>) {
  const stop = new AbortController();
  let runs = 0;
  const sweeper = openSweeper(async () => sweep(++runs), { log: QUIET, signal: stop.signal });
  return { sweeper, stop, runs: () => runs };
}

test("requests during a sweep are one more sweep after it, never two at once", async () => {
  const gate = Promise.withResolvers<void>();
  let atOnce = 0;
  let most = 0;
  const { sweeper, runs } = open(async (run) => {
    most = Math.max(most, ++atOnce);
    if (run === 1) await gate.promise;
    atOnce--;
    return NOTHING;
  });
  for (const reason of ["a", "b", "c"]) sweeper.request(reason);
  gate.resolve();
  await sweeper.idle();
  expect(runs()).toBe(2);
  expect(most).toBe(1);
});

test("a failed dump is tried again by itself when it is due", async () => {
  const second = Promise.withResolvers<void>();
  const { sweeper, stop } = open(async (run) => {
    if (run === 2) second.resolve();
    return run === 1 ? { ...NOTHING, failed: 1, nextRetryMs: Date.now() } : NOTHING;
  });
  sweeper.request("start");
  await second.promise;
  stop.abort();
  await sweeper.idle();
});

test("a sweep that throws does not end the sweeping", async () => {
  const { sweeper, stop, runs } = open(async (run) => {
    if (run === 1) throw new Error("the disk is gone");
    return NOTHING;
  });
  sweeper.request("a");
  await sweeper.idle();
  sweeper.request("b");
  await sweeper.idle();
  stop.abort();
  expect(runs()).toBe(2);
});

test("after a stop nothing is swept", async () => {
  const { sweeper, stop, runs } = open(async () => NOTHING);
  stop.abort();
  sweeper.request("late");
  await sweeper.idle();
  expect(runs()).toBe(0);
});
