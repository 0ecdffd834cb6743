import { expect, test } from "bun:test";
import { Readiness } from "../../../../src/agent/observe/readiness.ts";

test("it is starting until somebody knows, and then as ready as that one says", () => {
  const readiness = new Readiness();
  expect([readiness.isStarting(), readiness.reason()]).toEqual([true, "starting"]);
  let reason: string | undefined = "the doctor is still at work";
  readiness.follow(() => reason);
  expect(readiness.isStarting()).toBe(true);
  reason = "doctor: store: no bucket";
  expect([readiness.isStarting(), readiness.reason()]).toEqual([false, reason]);
  reason = undefined;
  expect([readiness.isStarting(), readiness.reason()]).toEqual([false, undefined]);
});
