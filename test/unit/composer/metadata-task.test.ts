import { expect, test } from "bun:test";
import { NO_EVENT_FACTS, type Metadata } from "../../../src/composer/metadata/metadata.ts";
import type { MetadataSteps } from "../../../src/composer/metadata/collect.ts";
import { MetadataTask } from "../../../src/composer/metadata-task.ts";

const KNOWN: Metadata = {
  verdict: { kind: "collect" },
  facts: { namespace: "default" },
  entries: [],
  event: NO_EVENT_FACTS,
};
const skipped = (reason: string): Metadata => ({ ...KNOWN, verdict: { kind: "skip", reason } });
const NEVER = new Promise<never>(() => undefined);

function open(
  collect: (steps: MetadataSteps) => Promise<Metadata>,
  deadline = new AbortController().signal,
) {
  return new MetadataTask({
    collect,
    deadline,
    fallback: (why) => ({ ...KNOWN, facts: { podname: why } }),
  });
}

test("what was collected is the result, asked for once however often it is started", async () => {
  let times = 0;
  const task = open(async () => {
    times++;
    return KNOWN;
  });
  task.start(() => undefined);
  task.start(() => undefined);
  expect(await task.result()).toBe(KNOWN);
  expect(await task.result()).toBe(KNOWN);
  expect(times).toBe(1);
});

test("it is asked for at the end where there was no first byte", async () => {
  expect(await open(async () => KNOWN).result()).toBe(KNOWN);
});

test("a dump that the owner's rules leave out is said at once", async () => {
  const task = open(async () => skipped("not selected"));
  const said = Promise.withResolvers<void>();
  task.start(said.resolve);
  await said.promise;
  expect((await task.result()).verdict).toEqual({ kind: "skip", reason: "not selected" });
});

for (const [title, collect] of [
  ["fails", () => Promise.reject(new Error("no runtime"))],
  [
    "throws",
    () => {
      throw new Error("no runtime");
    },
  ],
] as const)
  test(`a collection that ${title} costs no core`, async () => {
    const task = open(collect);
    task.start(() => undefined);
    await task.processRead();
    expect((await task.result()).facts).toEqual({ podname: "no runtime" });
  });

test("one that hangs is left alone after the deadline, passed before or while it is waited for", async () => {
  const early = open(() => NEVER, AbortSignal.abort());
  const controller = new AbortController();
  const late = open(() => NEVER, controller.signal);
  const waiting = late.result();
  setTimeout(() => controller.abort(), 10);
  for (const result of [early.result(), waiting])
    expect((await result).facts).toEqual({ podname: "not done at the deadline" });
});

test("what is done shortly after the deadline still counts", async () => {
  const task = open(async () => {
    await Bun.sleep(1);
    return KNOWN;
  }, AbortSignal.abort());
  expect(await task.result()).toBe(KNOWN);
});

test("the crashed process is held until its /proc is read, not until the collection ends", async () => {
  const task = open(({ onProcessRead }) => {
    setTimeout(onProcessRead, 5);
    return NEVER;
  });
  task.start(() => undefined);
  await task.processRead();
});

test("and not longer than half a second if that never happens", async () => {
  const task = open(() => NEVER);
  task.start(() => undefined);
  await task.processRead();
  await open(() => NEVER).processRead();
});
