import { expect, test } from "bun:test";
import { LastingStates } from "../../../src/host/lasting-states.ts";

test("a state is news once, until it changes or was over", () => {
  const states = new LastingStates();
  const seen = ["a", "a", "b", "a"].map((state) => states.isNews("disk", state));
  expect(seen).toEqual([true, false, true, true]);
  expect(states.has("disk")).toBe(true);
  states.end("disk");
  expect(states.has("disk")).toBe(false);
  expect(states.isNews("disk", "a")).toBe(true);
});

test("matters do not hide each other", () => {
  const states = new LastingStates();
  expect(["disk", "net"].map((about) => states.isNews(about, "gone"))).toEqual([true, true]);
});
