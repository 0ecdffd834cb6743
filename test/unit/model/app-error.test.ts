import { expect, test } from "bun:test";
import {
  AppError,
  EXIT,
  describeError,
  errnoOf,
  exitCodeOf,
  formatError,
} from "../../../src/model/app-error.ts";

test("an error reads as one line: what failed, why, and what to do", () => {
  const error = new AppError("core_directory", "cannot write to /cores", {
    cause: new Error("ENOSPC: no space left", { cause: new Error("tmpfs is full") }),
    hint: "free space there",
  });
  expect(describeError(error)).toBe(
    "cannot write to /cores: ENOSPC: no space left: tmpfs is full (free space there)",
  );
});

test("a cause that says the same again is said once, and one that is its own cause ends", () => {
  const error = new Error("again");
  error.cause = error;
  expect(describeError(error)).toBe("again");
});

test("what is thrown need not be an error", () => {
  expect(describeError("text")).toBe('"text"');
  expect(describeError({ a: 1 })).toBe('{"a":1}');
  expect(describeError(undefined)).toBe("");
  expect(describeError(null)).toBe("");
});

test("a wrong setting exits with 2, anything else with 1", () => {
  expect(exitCodeOf(new AppError("usage", ""))).toBe(EXIT.usage);
  expect(exitCodeOf(new AppError("configuration", ""))).toBe(EXIT.usage);
  expect(exitCodeOf(new AppError("publish", ""))).toBe(EXIT.failed);
  expect(exitCodeOf(new Error(""))).toBe(EXIT.failed);
  expect(exitCodeOf(undefined)).toBe(EXIT.failed);
});

test("only a textual code is an errno", () => {
  expect(errnoOf(Object.assign(new Error(""), { code: "ENOSPC" }))).toBe("ENOSPC");
  for (const other of [{ code: 7 }, new Error(""), null, undefined, "ENOSPC"])
    expect(errnoOf(other)).toBeUndefined();
});

test("an error made of several tells each of them", () => {
  const failures = [
    new Error("no libc.so.6"),
    new Error("no musl", { cause: new Error("ENOENT") }),
  ];
  const error = new Error("cannot lock", { cause: new AggregateError(failures, "no libc found") });
  expect(describeError(error)).toBe("cannot lock: no libc found: no libc.so.6, no musl: ENOENT");
});

test("several faults have a line each on a terminal, the hint too, and one line in a log", () => {
  const error = new AppError("configuration", "nothing was changed", {
    faults: ["A is wrong", "B is\nwrong"],
    hint: "look at the page",
  });
  expect(formatError(error)).toBe(
    "core-dump-handler: nothing was changed\n  A is wrong\n  B is\\u000awrong\n  look at the page\n",
  );
  expect(describeError(error)).toBe(
    "nothing was changed: A is wrong; B is\\u000awrong (look at the page)",
  );
});

test("a long hint has its own line on a terminal alone", () => {
  const error = new AppError("host", "no", { hint: "x".repeat(120) });
  expect(formatError(error, true)).toBe(`core-dump-handler: no\n  ${"x".repeat(120)}\n`);
  expect(formatError(error)).toBe(`core-dump-handler: no (${"x".repeat(120)})\n`);
});

test("a short error is one line, and so is one that is not this program's own", () => {
  expect(formatError(new AppError("usage", "no", { hint: "yes" }))).toBe(
    "core-dump-handler: no (yes)\n",
  );
  expect(formatError(new Error("x".repeat(200)))).toBe(`core-dump-handler: ${"x".repeat(200)}\n`);
});
