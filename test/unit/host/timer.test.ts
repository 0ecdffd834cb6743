import { expect, spyOn, test } from "bun:test";
import { pause, untilAborted, within } from "../../../src/host/timer.ts";

test("pauses on a signal that lives long leave nothing behind on it", async () => {
  const { signal } = new AbortController();
  const [added, removed] = [
    spyOn(signal, "addEventListener"),
    spyOn(signal, "removeEventListener"),
  ];
  for (let n = 0; n < 10; n++) await pause(1, signal);
  const listeners = (spy: typeof added | typeof removed) => spy.mock.calls.map(([, fn]) => fn);
  expect(listeners(added)).toHaveLength(10);
  expect(listeners(removed)).toEqual(listeners(added));
});

test("a pause ends with its signal", async () => {
  const controller = new AbortController();
  const paused = pause(3_600_000, controller.signal);
  controller.abort();
  await paused;
  await pause(3_600_000, controller.signal);
});

test("a signal that was aborted before is not waited for", async () => {
  await untilAborted(AbortSignal.abort());
  const stop = new AbortController();
  const waiting = untilAborted(stop.signal);
  stop.abort();
  await waiting;
});

test("what takes too long is answered with what counts then, and its own failure is nobody's", async () => {
  const work = Promise.withResolvers<string>();
  expect(await within(work.promise, 1, () => "late")).toBe("late");
  work.reject(new Error("too late"));
  expect(await within(Promise.resolve("done"), 60_000, () => "late")).toBe("done");
  expect(within(Promise.reject(new Error("failed")), 60_000, () => "late")).rejects.toThrow(
    "failed",
  );
});
