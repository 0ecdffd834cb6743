import { expect, test } from "bun:test";
import { asCriLog } from "../../../../src/composer/metadata/docker-log.ts";
import { countCompleteLines, lastLines } from "../../../../src/composer/metadata/log-lines.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const decode = (data: Uint8Array) => new TextDecoder().decode(data);
const linesOf = (text: string, lines = 1000) =>
  decode(lastLines(bytes(text), lines))
    .split("\n")
    .slice(0, -1);

const T = "2016-10-06T00:17:09.669794202Z";

test("both streams come in the file's order, without time and tag", () => {
  const text = `${T} stdout F one\n${T} stderr F two\n${T} stdout F \n${T} stdout F  spaced  \n`;
  expect(linesOf(text)).toEqual(["one", "two", "", " spaced  "]);
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
  expect(linesOf(text)).toEqual(["err-1 err-end", "out-1 out-2 out-end"]);
  expect(countCompleteLines(bytes(text))).toBe(2);
});

test("a line that the crash left unfinished is kept, at the end", () => {
  expect(linesOf(`${T} stdout F whole\n${T} stderr P about to cra`)).toEqual([
    "whole",
    "about to cra",
  ]);
});

test("further tags after the first are allowed, as CRI reserves them", () => {
  expect(linesOf(`${T} stdout P:x a\n${T} stdout F:y b\n`)).toEqual(["ab"]);
});

test("carriage returns, quotes and non-ASCII text stay as the container wrote them", () => {
  expect(linesOf(`${T} stdout F a\r\n${T} stdout F "ü" \\n\n`)).toEqual(["a\r", '"ü" \\n']);
});

test("only the last lines are kept, joined ones counted as one", () => {
  const text = `${T} stdout F 1\n${T} stdout P 2a\n${T} stdout F 2b\n${T} stderr F 3\n${T} stdout P 4`;
  expect(linesOf(text, 3)).toEqual(["2a2b", "3", "4"]);
  expect(linesOf(text, 2)).toEqual(["3", "4"]);
  expect(linesOf(text, 1)).toEqual(["4"]);
  expect(linesOf(text, 0)).toEqual([]);
});

test("bytes that are no text pass through", () => {
  const line = Buffer.concat([bytes(`${T} stdout F `), Buffer.from([0xff, 0, 0xfe]), bytes("\n")]);
  expect([...lastLines(line, 1)]).toEqual([0xff, 0, 0xfe, 10]);
});

test("docker's json-file lines are read, unfinished ones joined", () => {
  const text = [
    JSON.stringify({ log: "one\n", stream: "stdout", time: T }),
    JSON.stringify({ log: "two, ", stream: "stderr", time: T }),
    JSON.stringify({ log: "continued ü\n", stream: "stderr", time: T }),
    '{"log":',
    '{"log":5}',
    "",
  ].join("\n");
  expect(linesOf(decode(asCriLog(bytes(text))))).toEqual([
    "one",
    "two, continued ü",
    '{"log":',
    '{"log":5}',
  ]);
});

test("lines in no known format are kept as they are", () => {
  const strange = [
    "plain text",
    "stdout F x",
    "2016 stdout F x",
    `${T} stdout X x`,
    `${T} stdin F x`,
    `${T} stdout F`,
  ];
  expect(linesOf(strange.join("\n"))).toEqual(strange);
});
