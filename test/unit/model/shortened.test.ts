import { expect, test } from "bun:test";
import { shortened } from "../../../src/model/shortened.ts";

test("a text that fits stays as it is", () => {
  for (const text of ["", "a", "x".repeat(80)]) expect(shortened(text, 80)).toBe(text);
});

test("texts that begin alike stay apart, within their place", () => {
  const names = [1, 2, 3].map((n) => shortened(`${"x".repeat(80)}-${n}`, 80));
  expect(new Set(names).size).toBe(3);
  for (const name of names) expect(name).toMatch(/^x{71}-[0-9a-f]{8}$/);
});

test("a place with no room for a digest gets the beginning", () => {
  expect(shortened("x".repeat(30), 23)).toBe("x".repeat(23));
});
