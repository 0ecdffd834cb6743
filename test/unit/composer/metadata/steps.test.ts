import { expect, test } from "bun:test";
import { AttemptLog } from "../../../../src/composer/attempt.ts";
import { Steps } from "../../../../src/composer/metadata/steps.ts";

const never = () => new Promise<string>(() => undefined);

async function withSteps(
  timeoutMs: number,
  body: (steps: Steps, attempts: AttemptLog) => Promise<void>,
  signal = new AbortController().signal,
) {
  const attempts = new AttemptLog();
  const steps = Steps.start(attempts, timeoutMs, signal);
  try {
    await body(steps, attempts);
  } finally {
    steps.dispose();
  }
}

test("steps in time give their values", () =>
  withSteps(60_000, async (steps, attempts) => {
    expect(await steps.step("a", () => 1, 0)).toBe(1);
    expect(await steps.step("b", async () => "x", "")).toBe("x");
    expect(attempts.missing).toEqual([]);
  }));

test("a step that never ends gives its fallback at the deadline; later ones are not begun", () =>
  withSteps(20, async (steps, attempts) => {
    expect(await steps.step("hangs", never, "fallback")).toBe("fallback");
    let begun = false;
    await steps.step("later", () => void (begun = true), undefined);
    expect(begun).toBe(false);
    expect(attempts.missing).toEqual([
      { what: "hangs", why: "no answer in time" },
      { what: "later", why: "no time left" },
    ]);
  }));

test("a step that obeys the signal says itself what it waited for", () =>
  withSteps(20, async (steps, attempts) => {
    const waits = () =>
      new Promise<never>((_, reject) =>
        steps.signal.addEventListener("abort", () => reject(new Error("crictl pods hangs"))),
      );
    await steps.step("crictl", waits, null);
    expect(attempts.missing).toEqual([{ what: "crictl", why: "crictl pods hangs" }]);
  }));

test("the composer's own end is a deadline too, even one that has passed", async () => {
  const ended = AbortSignal.abort();
  await withSteps(
    60_000,
    async (steps, attempts) => {
      expect(await steps.step("a", never, "fallback")).toBe("fallback");
      expect(attempts.missing).toHaveLength(1);
    },
    ended,
  );
});
