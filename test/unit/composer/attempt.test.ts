import { expect, test } from "bun:test";
import { AttemptLog } from "../../../src/composer/attempt.ts";

test("a step that succeeds gives its value and leaves no trace", async () => {
  const attempts = new AttemptLog();
  expect(await attempts.attempt("sync", () => 1, 0)).toBe(1);
  expect(await attempts.attempt("async", async () => "a", "")).toBe("a");
  expect(attempts.missing).toEqual([]);
});

test("a step that fails gives its fallback and is listed with its cause chain, on one line", async () => {
  const attempts = new AttemptLog();
  const fail = () => {
    throw new Error("outer\nline", { cause: new Error("inner") });
  };
  expect(await attempts.attempt("pod-info", fail, "fallback")).toBe("fallback");
  expect(await attempts.attempt("logs", () => Promise.reject(new Error("late")), 7)).toBe(7);
  expect(attempts.missing).toEqual([
    { what: "pod-info", why: "outer\\u000aline: inner" },
    { what: "logs", why: "late" },
  ]);
});

test("a flood of failures is counted, not kept", async () => {
  const attempts = new AttemptLog();
  for (let i = 0; i < 1000; i++) attempts.record(`piece ${i}`, "x".repeat(10_000));
  expect(attempts.missing.length).toBeLessThan(50);
  expect(attempts.missing.at(-1)?.why).toContain("more pieces failed");
  expect(JSON.stringify(attempts.missing).length).toBeLessThan(16 * 1024);
});
