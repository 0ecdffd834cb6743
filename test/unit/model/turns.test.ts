import { expect, test } from "bun:test";
import { Turns } from "../../../src/model/turns.ts";

const one = (namespace: string, sinceMs: number) => ({ namespace, sinceMs });
const words = (order: { namespace: string; sinceMs: number }[]) =>
  order.map(({ namespace, sinceMs }) => `${namespace} ${sinceMs}`);
const CROWD = [1, 2, 3, 4].map((at) => one("mallory", at));

test("the oldest of each namespace, then the second of each", () => {
  const order = new Turns().order([one("shop", 9), ...CROWD, one("bank", 7), one("shop", 8)]);
  expect(words(order)).toEqual([
    "mallory 1",
    "bank 7",
    "shop 8",
    "mallory 2",
    "shop 9",
    "mallory 3",
    "mallory 4",
  ]);
});

test("who had a turn is behind who had none, though its next is older", () => {
  const turns = new Turns();
  const waiting = [...CROWD, one("bank", 7), one("shop", 8)];
  const served: string[] = [];
  for (let at = 0; at < 4; at++) {
    const [next] = turns.order(waiting);
    if (next === undefined) throw new Error("nobody waits");
    turns.take(next.namespace);
    served.push(next.namespace);
    waiting.splice(waiting.indexOf(next), 1);
  }
  expect(served).toEqual(["mallory", "bank", "shop", "mallory"]);
});

test("within one namespace by age, and those of one age in their order", () => {
  expect(new Turns().order([])).toEqual([]);
  const twins = [
    { ...one("a", 1), name: "first" },
    { ...one("a", 1), name: "second" },
  ];
  expect(new Turns().order(twins)).toEqual(twins);
});
