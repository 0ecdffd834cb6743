import { expect, test } from "bun:test";
import { closeJson } from "../../../src/model/json-prefix.ts";

const VALUE = {
  id: "x",
  labels: { a: '1, "two" {', "b\\": "]}" },
  list: [1, -2.5, { deep: [true, null, []] }, "é\u2028"],
  last: {},
};

test("a whole text stays as it is", () => {
  for (const text of [JSON.stringify(VALUE), JSON.stringify(VALUE, null, 2), "{}", "[1,2]"])
    expect(closeJson(text)).toBe(text);
});

test("every first part becomes valid JSON that holds nothing that the whole does not", () => {
  for (const text of [JSON.stringify(VALUE), JSON.stringify(VALUE, null, 2)])
    for (let size = 1; size < text.length; size++) {
      const closed = JSON.parse(closeJson(text.slice(0, size)));
      expect(isPartOf(closed, VALUE)).toBe(true);
    }
});

test("what stands before a long text counts", () => {
  const text = JSON.stringify({ pid: 42, config: { envs: ["x", "y".repeat(1000)] } });
  expect(closeJson(text.slice(0, 200))).toBe('{"pid":42,"config":{"envs":["x"]}}');
});

test("no JSON becomes none", () => {
  expect(closeJson("")).toBe("");
  expect(closeJson("y\ny\ny\n")).toBe("");
});

function isPartOf(part: unknown, whole: unknown): boolean {
  if (typeof part !== "object" || part === null || typeof whole !== "object" || whole === null)
    return part === whole;
  return Object.entries(part).every(([key, value]) => isPartOf(value, Reflect.get(whole, key)));
}
