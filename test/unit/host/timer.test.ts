import { expect, spyOn, test } from "bun:test";
import { pause } from "../../../src/host/timer.ts";

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
