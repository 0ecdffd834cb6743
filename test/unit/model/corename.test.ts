import { expect, test } from "bun:test";
import { corenameText } from "../../../src/model/corename.ts";

for (const [text, shown] of [
  ["app", "app"],
  ["/usr/bin/app", "!usr!bin!app"],
  ["", "!"],
  [".", "!"],
  ["..", "!."],
  ["...", "..."],
  [".a", ".a"],
] as const)
  test(`${JSON.stringify(text)} stands in a core's name as ${JSON.stringify(shown)}`, () => {
    expect(corenameText(text)).toBe(shown);
  });
