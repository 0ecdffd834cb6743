import { afterEach, expect, test } from "bun:test";
import { Deadline } from "../../../src/composer/deadline.ts";

const open: Deadline[] = [];
function openDeadline(seconds: number): Deadline {
  const deadline = Deadline.start(seconds);
  open.push(deadline);
  return deadline;
}
afterEach(() => {
  for (const deadline of open.splice(0)) deadline.clear();
});

const passing = (deadline: Deadline) =>
  new Promise<void>((resolve) => deadline.signal.addEventListener("abort", () => resolve()));

test("it passes when its time is up, and not before", async () => {
  const deadline = openDeadline(0.02);
  const passed = passing(deadline);
  expect(deadline.passed).toBe(false);
  await passed;
  expect(deadline.passed).toBe(true);
});

test("the longest one that can be set is not passed at once", async () => {
  const deadline = openDeadline(86_400);
  await Bun.sleep(20);
  expect(deadline.passed).toBe(false);
});

test("a limit that is set later counts from the start, and a longer one takes the first one's place", async () => {
  const shortened = openDeadline(86_400);
  await Bun.sleep(20);
  const passed = passing(shortened);
  shortened.setTimeout(0.01);
  await passed;
  const prolonged = openDeadline(0.02);
  prolonged.setTimeout(86_400);
  await Bun.sleep(60);
  expect(prolonged.passed).toBe(false);
});

test("SIGTERM does not end the program, however often, and never prolongs the time", async () => {
  const deadline = openDeadline(0.2);
  const passed = passing(deadline);
  for (let i = 0; i < 3; i++) {
    process.kill(process.pid, "SIGTERM");
    await Bun.sleep(5);
  }
  // Prolonged, it would take five seconds more.
  const first = await Promise.race([passed.then(() => "passed"), Bun.sleep(4000)]);
  expect(first).toBe("passed");
});

test("cleared, it never passes, and SIGTERM is the program's again", async () => {
  const listeners = process.listenerCount("SIGTERM");
  const deadline = openDeadline(0.02);
  expect(process.listenerCount("SIGTERM")).toBeGreaterThan(listeners);
  deadline.clear();
  expect(process.listenerCount("SIGTERM")).toBe(listeners);
  await Bun.sleep(60);
  expect(deadline.passed).toBe(false);
});
