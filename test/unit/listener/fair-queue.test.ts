import { expect, test } from "bun:test";
import { FairQueue } from "../../../src/listener/fair-queue.ts";

function takeAll(queue: FairQueue<string>): string[] {
  const taken: string[] = [];
  for (let item = queue.take(); item !== undefined; item = queue.take()) taken.push(item);
  return taken;
}

test("tenants take turns, each with its oldest", () => {
  const queue = new FairQueue<string>(10);
  for (const item of ["a1", "a2", "a3", "b1", "c1", "b2"]) queue.put(item.slice(0, 1), item);
  expect(queue.size).toBe(6);
  expect(takeAll(queue)).toEqual(["a1", "b1", "c1", "a2", "b2", "a3"]);
  expect(queue.size).toBe(0);
});

test("full, it takes another tenant's for the newest of the one with the most", () => {
  const queue = new FairQueue<string>(3);
  for (const item of ["a1", "a2", "a3"]) expect(queue.put("a", item)).toBeUndefined();
  expect(queue.put("a", "a4")).toBe("a4");
  expect(queue.put("b", "b1")).toBe("a3");
  // As many as the other: who wants one more goes without.
  expect(queue.put("b", "b2")).toBe("b2");
  expect(takeAll(queue)).toEqual(["a1", "b1", "a2"]);
});

test("what has waited too long is taken out, whoever's turn it is", () => {
  const queue = new FairQueue<string>(9);
  for (const item of ["a1", "b1", "a2", "b2"]) queue.put(item.slice(0, 1), item);
  expect(queue.takeWhere((item) => item !== "a2" && item !== "b2")).toEqual(["a1", "b1"]);
  expect(queue.takeWhere((item) => item === "a2")).toEqual(["a2"]);
  expect(takeAll(queue)).toEqual(["b2"]);
});
