// Why a program ended itself, by the functions on its stack.
import { expect, test } from "bun:test";
import { abortReason } from "../../../src/explain/abort-reason.ts";
import type { NamedFrame } from "../../../src/explain/frame-symbols.ts";

/** A name of a function, or the number of a signal that was handled. */
const frame = (what: string | number): NamedFrame => ({
  frame: {
    programCounter: 1n,
    lookup: 1n,
    trust: "cfi",
    signal: typeof what === "number" ? what : null,
    isSignalFrame: typeof what === "number",
  },
  module: undefined,
  name: typeof what === "number" ? null : what,
  functionStart: null,
  source: null,
  isExported: true,
});

const reason = (signal: number, ...frames: (string | number)[]) =>
  abortReason(
    signal,
    frames.map((what) => frame(what)),
  );

test.each([
  ["Rust panic", ["abort", "_RNvCsfLfy6EI15iL_7___rustc17rust_begin_unwind", "f"]],
  ["Rust panic", ["abort", "_ZN4core9panicking9panic_fmt17h0123456789abcdefE", "f"]],
  ["Go panic", ["runtime.raise.abi0", 6, "runtime.raise.abi0", "runtime.gopanic", "main.f"]],
  ["Go panic by a bad memory access", ["runtime.gopanic", "runtime.sigpanic", "main.f"]],
  ["fatal error of Go's runtime", ["runtime.fatalthrow", "runtime.throw", "main.f"]],
  ["C++ exception that nothing caught", ["abort", "_ZSt9terminatev", "__cxa_throw", "_Z1fv"]],
  ["std::terminate() called", ["abort", "_ZSt9terminatev", "_Z1fv"]],
  ["pure virtual function called", ["abort", "_ZSt9terminatev", "__cxa_pure_virtual"]],
  ["fatal error of Python", ["abort", "fatal_error_exit", "_Py_FatalErrorFunc", "f"]],
  [
    "the JavaScript heap is full",
    ["_ZN4node5AbortEv", "_ZN2v88internal2V823FatalProcessOutOfMemoryEv"],
  ],
  ["process.abort()", ["abort", "_ZN4node5AbortERKN2v820FunctionCallbackInfoINS0_5ValueEEE"]],
  ["fatal error of the JVM after SIGSEGV", ["abort", "_ZN7VMError14report_and_dieEv", 11, "f"]],
  ["handler of SIGSEGV called abort()", ["abort", "on_crash", 11, "f"]],
  [null, ["abort", "f", "main"]],
  [null, ["abort", "on_timer", 14, "f"]],
] as const)("%s: %p", (expected, frames) => {
  expect(reason(6, ...frames)).toBe(expected);
});

test("a fault is no end that the program chose", () => {
  expect(reason(11, "f", "runtime.gopanic")).toBeNull();
});
