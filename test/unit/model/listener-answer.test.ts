import { expect, test } from "bun:test";
import { formatListenerAnswer, parseListenerAnswer } from "../../../src/model/listener-answer.ts";
import { VERSION } from "../../../src/model/version.ts";

test("what the listener says of itself is read back", () => {
  const said = { executable: "/app/core-dump-handler", worker: 7, keeper: null };
  expect(parseListenerAnswer(formatListenerAnswer(said))).toEqual({ version: VERSION, ...said });
});

for (const text of ["", "\u007fELF", "{}", '{"worker":7}'])
  test(`${JSON.stringify(text)} is no listener's answer`, () => {
    expect(parseListenerAnswer(text)).toBeUndefined();
  });
