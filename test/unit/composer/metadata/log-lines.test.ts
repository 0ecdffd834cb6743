import { expect, test } from "bun:test";
import { countCompleteLines, parseLogLines } from "../../../../src/composer/metadata/log-lines.ts";

const T = "2016-10-06T00:17:09.669794202Z";

test("both streams come in the file's order, without time and tag", () => {
  const text = `${T} stdout F one\n${T} stderr F two\n${T} stdout F \n${T} stdout F  spaced  \n`;
  expect(parseLogLines(text)).toEqual(["one", "two", "", " spaced  "]);
});

test("the pieces of a long line are joined, each stream by itself", () => {
  const text = [
    `${T} stdout P out-1 `,
    `${T} stderr P err-1 `,
    `${T} stdout P out-2 `,
    `${T} stderr F err-end`,
    `${T} stdout F out-end`,
    "",
  ].join("\n");
  expect(parseLogLines(text)).toEqual(["err-1 err-end", "out-1 out-2 out-end"]);
  expect(countCompleteLines(text)).toBe(2);
});

test("a line that the crash left unfinished is kept, at the end", () => {
  expect(parseLogLines(`${T} stdout F whole\n${T} stderr P about to cra`)).toEqual([
    "whole",
    "about to cra",
  ]);
});

test("further tags after the first are allowed, as CRI reserves them", () => {
  expect(parseLogLines(`${T} stdout P:x a\n${T} stdout F:y b\n`)).toEqual(["ab"]);
});

test("carriage returns, quotes and non-ASCII text stay as the container wrote them", () => {
  expect(parseLogLines(`${T} stdout F a\r\n${T} stdout F "ü" \\n\n`)).toEqual(["a\r", '"ü" \\n']);
});

test("docker's json-file lines are read, unfinished ones joined", () => {
  const text = [
    JSON.stringify({ log: "one\n", stream: "stdout", time: T }),
    JSON.stringify({ log: "two, ", stream: "stderr", time: T }),
    JSON.stringify({ log: "continued\n", stream: "stderr", time: T }),
    "",
  ].join("\n");
  expect(parseLogLines(text)).toEqual(["one", "two, continued"]);
});

test("lines in no known format are kept as they are", () => {
  const strange = ["plain text", '{"log":', '{"log":5}', "stdout F x", "2016 stdout F x"];
  expect(parseLogLines(strange.join("\n"))).toEqual(strange);
});
