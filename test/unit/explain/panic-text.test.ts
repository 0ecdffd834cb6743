import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findPanic } from "../../../src/explain/panic-text.ts";
import { PANIC_LOGS, PANICS } from "../../support/panics.ts";

/** Short forms; the recorded logs of test/fixtures/panics are whole ones. */
const LOGS = {
  go: "starting\npanic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x49e6a0]\n\ngoroutine 1 [running]:\nmain.(*Box[...]).Get(...)\n",
  goFatal: "fatal error: concurrent map writes\n\ngoroutine 18 [running]:\n",
  rust: "\nthread 'worker' (1234) panicked at crashes.rs:12:19:\nindex out of bounds: the len is 1 but the index is 7\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
  rustOld: "thread 'main' panicked at 'told to', src/main.rs:3:5\nnote: run with\n",
  cpp: "terminate called after throwing an instance of 'std::out_of_range'\n  what():  no such item\n",
  pure: "pure virtual method called\nterminate called without an active exception\n",
  python:
    "Fatal Python error: Segmentation fault\n\nCurrent thread 0x00007f (most recent call first):\n",
  traceback:
    'Traceback (most recent call last):\n  File "/app/a.py", line 3, in <module>\n    main()\n  File "/app/a.py", line 2, in main\n    raise ValueError("no\\n")\nValueError: no such item\n',
  java: "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n#  SIGSEGV (0xb) at pc=0x00007f, pid=7, tid=8\n#\n# JRE version: OpenJDK\n# Problematic frame:\n# V  [libjvm.so+0xed27f4]  Unsafe_PutInt+0x124\n#\n# An error report file with more information is saved as:\n# /tmp/hs_err_pid7.log\n",
  javaException:
    'Exception in thread "main" java.lang.IllegalStateException: no such item\n\tat Crash.main(Crash.java:5)\n',
  node: "<--- JS stacktrace --->\n\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n----- Native stack trace -----\n",
  nodeError:
    "/app/a.js:1\nthrow new TypeError('no such item')\n^\n\nTypeError: no such item\n    at Object.<anonymous> (/app/a.js:1:7)\n    at Module._compile\n",
  assertion: "crashes: crashes.c:98: check_input: Assertion `count == 1' failed.\n",
  heap: "double free or corruption (!prev)\n",
  stack: "*** stack smashing detected ***: terminated\n",
};

test.each([
  [
    "go",
    "go",
    "panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x49e6a0]",
  ],
  ["goFatal", "go", "fatal error: concurrent map writes"],
  [
    "rust",
    "rust",
    "thread 'worker' (1234) panicked at crashes.rs:12:19:\nindex out of bounds: the len is 1 but the index is 7",
  ],
  ["rustOld", "rust", "thread 'main' panicked at 'told to', src/main.rs:3:5"],
  [
    "cpp",
    "c++",
    "terminate called after throwing an instance of 'std::out_of_range'\n  what():  no such item",
  ],
  ["pure", "c++", "pure virtual method called"],
  ["python", "python", "Fatal Python error: Segmentation fault"],
  ["traceback", "python", 'File "/app/a.py", line 2, in main\nValueError: no such item'],
  [
    "java",
    "java",
    "SIGSEGV (0xb) at pc=0x00007f, pid=7, tid=8\nV  [libjvm.so+0xed27f4]  Unsafe_PutInt+0x124\n/tmp/hs_err_pid7.log",
  ],
  [
    "javaException",
    "java",
    'Exception in thread "main" java.lang.IllegalStateException: no such item\n\tat Crash.main(Crash.java:5)',
  ],
  [
    "node",
    "node",
    "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
  ],
  ["nodeError", "node", "TypeError: no such item\nat Object.<anonymous> (/app/a.js:1:7)"],
  ["assertion", "glibc", "crashes: crashes.c:98: check_input: Assertion `count == 1' failed."],
  ["heap", "glibc", "double free or corruption (!prev)"],
  ["stack", "glibc", "*** stack smashing detected ***: terminated"],
] as const)("%s: what the runtime said", (log, language, text) => {
  expect(findPanic(LOGS[log])).toEqual({ language, text, source: "log" });
});

test.each(PANICS.map(({ name, language, text }) => [name, language, text] as const))(
  "%s: what a real crash of the runtime wrote",
  (name, language, text) => {
    const found = findPanic(readFileSync(join(PANIC_LOGS, `${name}.log`), "utf8"));
    expect(found).toMatchObject({ language, source: "log" });
    expect(found?.text).toMatch(text);
  },
);

test("a container runtime's prefix before each line is taken off", () => {
  const prefixed = LOGS.rust.replace(/^(?=.)/gm, "2026-11-25T13:00:00.123456789Z stderr F ");
  expect(findPanic(prefixed)?.language).toBe("rust");
});

test("the last one counts, and a log without one has none", () => {
  expect(findPanic(LOGS.rust + LOGS.go)?.language).toBe("go");
  expect(findPanic("Error: cannot connect, trying again\nready\n")).toBeNull();
  expect(findPanic("")).toBeNull();
});

test("a log made to cost time ends at once, and long texts are cut", () => {
  const hostile =
    `${`${"x".repeat(5000)}: Assertion `.repeat(20)}\n`.repeat(40) +
    "Traceback (most recent call last):\n ".repeat(9000);
  expect(findPanic(hostile)).toBeNull();
  expect(findPanic(`panic: ${"a".repeat(100_000)}\n`)?.text.length).toBe(1024);
});
