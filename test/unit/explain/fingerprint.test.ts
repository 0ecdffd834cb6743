// What goes into a bug's id, and what does not.
import { expect, test } from "bun:test";
import { fingerprintOf } from "../../../src/explain/fingerprint.ts";
import type { NamedFrame } from "../../../src/explain/frame-symbols.ts";
import type { MappedModule } from "../../../src/explain/mapped-modules.ts";
import { findCulprits } from "../../../src/explain/normalisation.ts";
import type { FrameTrust } from "../../../src/model/crash-summary.ts";

interface Frame {
  name: string | null;
  path?: string;
  at?: bigint;
  trust?: FrameTrust;
  /** A signal handler's return: the signal, or null where it is not known. */
  signal?: number | null;
  isExported?: boolean;
}

const LIBC = "/lib/libc.so.6";

function frame({
  name,
  path = "/app",
  at = 0x10n,
  trust = "cfi",
  signal,
  isExported = true,
}: Frame): NamedFrame {
  const known: MappedModule = {
    path,
    start: 0n,
    end: 1n << 40n,
    bias: 0n,
    buildId: path,
    packageNote: null,
    otherBuild: false,
    missing: null,
    image: undefined,
  };
  const module = path === "" ? undefined : known;
  return {
    frame: {
      programCounter: at,
      lookup: at,
      trust,
      signal: signal ?? null,
      isSignalFrame: signal !== undefined,
    },
    module,
    name,
    functionStart: name === null ? at : 0n,
    source: null,
    isExported,
  };
}

const culprits = (...frames: (Frame | string)[]) =>
  findCulprits(frames.map((one) => frame(typeof one === "string" ? { name: one } : one))).map(
    ({ label }) => label,
  );

test("what reports a failure and how a process begins do not count", () => {
  const inLibc = (name: string | null): Frame => ({ name, path: LIBC });
  expect(
    culprits(
      inLibc(null),
      inLibc("raise"),
      inLibc("abort"),
      inLibc(null),
      inLibc("free"),
      "close",
      "main",
      inLibc(null),
      inLibc("__libc_start_main"),
      "_start",
    ),
  ).toEqual(["free", "close", "main"]);
  expect(
    culprits(
      "std::terminate",
      "__cxa_throw",
      "_ZN3app3runEv",
      "execute_native_thread_routine",
      inLibc("clone"),
    ),
  ).toEqual(["app::run"]);
  expect(
    culprits("rust_panic", "core::panicking::panic_fmt", "r::get", "std::rt::lang_start", "main"),
  ).toEqual(["r::get", "main"]);
});

test("what is inlined of a standard library does not count, nor does a name that only looks like the C library's", () => {
  expect(
    culprits(
      "abort",
      "__cxa_throw",
      "std::vector<T>::_M_range_check",
      "std::vector<T>::at",
      "get",
      "main",
    ),
  ).toEqual(["get", "main"]);
  expect(culprits("std::sort<T>")).toEqual(["std::sort<T>"]);
  expect(culprits({ name: "__strlen_evex", path: LIBC }, "string_at", "ffi_call")).toEqual([
    "libc",
    "string_at",
    "ffi_call",
  ]);
});

test("of an overwritten stack only the function that noticed it counts", () => {
  const inLibc = (name: string): Frame => ({ name, path: LIBC });
  expect(
    culprits(
      inLibc("abort"),
      inLibc("__fortify_fail"),
      inLibc("__stack_chk_fail"),
      "smash",
      "chance",
      "main",
    ),
  ).toEqual(["smash"]);
});

test("recursion counts once, also through several functions", () => {
  expect(culprits("a", "a", "a", "b", "main")).toEqual(["a", "b", "main"]);
  expect(culprits("a", "b", "a", "b", "a", "b", "main")).toEqual(["a", "b", "main"]);
});

test("the handler of a crash gives way to what crashed, that of another signal does not", () => {
  expect(
    culprits("abort", "on_crash", { name: "__restore_rt", signal: 11 }, "work", "main"),
  ).toEqual(["work", "main"]);
  expect(
    culprits("abort", "on_alarm", { name: "__restore_rt", signal: 14 }, "work", "main"),
  ).toEqual(["on_alarm"]);
  expect(
    culprits("abort", "on_it", { name: "__restore_rt", signal: null }, "raise", "work", "main"),
  ).toEqual(["on_it", "work", "main"]);
});

test("the C library's inner functions are one, whatever they are called", () => {
  const named = culprits({ name: "__strlen_avx2", path: LIBC, isExported: false }, "work", "main");
  const unnamed = culprits({ name: null, path: LIBC }, "work", "main");
  expect(named).toEqual(["libc", "work", "main"]);
  expect(unnamed).toEqual(named);
  expect(
    culprits(
      { name: "msort_with_tmp", path: LIBC, isExported: false },
      { name: "qsort_r", path: LIBC },
      "main",
    ),
  ).toEqual(["qsort_r", "main"]);
});

test("frames that were only guessed never count", () => {
  expect(culprits({ name: "guess", trust: "scan" }, "work", "main")).toEqual(["work", "main"]);
});

test("generated code counts once, and what the runtime starts it by does not", () => {
  const generated = { name: null, path: "", at: 0x7f00n };
  expect(
    culprits(
      "addon::read",
      "Builtins_CEntry",
      generated,
      "Builtins_JSEntry",
      "v8::Script::Run",
      "main",
    ),
  ).toEqual(["addon::read", "JavaScript"]);
  const jvm = { name: "_ZN9JavaCalls11call_helperEv", path: "/lib/libjvm.so" };
  expect(
    culprits({ name: "Unsafe_PutInt", path: "/lib/libjvm.so" }, generated, generated, jvm),
  ).toEqual(["Unsafe_PutInt", "Java"]);
  expect(culprits("call_back", generated, "main")).toEqual(["call_back", "generated code"]);
  // Where a stack ends there may be anything.
  expect(culprits("smash", generated)).toEqual(["smash"]);
});

test("which of V8's functions noticed that the heap is full does not count", () => {
  const collect = "v8::internal::Heap::CollectGarbage";
  const full = "v8::internal::V8::FatalProcessOutOfMemory";
  const outer = ["Builtins_Array", "main"];
  expect(culprits("abort", full, collect, "v8::internal::Factory::New", ...outer)).toEqual([
    "JavaScript",
  ]);
  expect(culprits("abort", collect, ...outer)).toEqual([collect, "JavaScript"]);
});

test("functions without a name count by where they begin", () => {
  expect(culprits({ name: null, at: 0x1200n }, "main")).toEqual(["app+0x1200", "main"]);
});

const crash = { program: "/app", signalClass: "SIGSEGV", signalCode: 1 };
const idOf = (...frames: Frame[]) => {
  const named = frames.map(frame);
  return fingerprintOf({ ...crash, frames: named, culprits: findCulprits(named) });
};

test("the id is the bug's: another place in the same functions is the same, another function or signal is not", () => {
  const id = idOf({ name: "work" }, { name: "main" });
  const other = idOf({ name: "work", at: 0x99n }, { name: "main" });
  expect(other.bug).toBe(id.bug);
  expect(other.exact).not.toBe(id.exact);
  expect(idOf({ name: "play" }, { name: "main" }).bug).not.toBe(id.bug);
  const named = [frame({ name: "work" }), frame({ name: "main" })];
  const signalClass = "SIGFPE";
  expect(
    fingerprintOf({ ...crash, signalClass, frames: named, culprits: findCulprits(named) }).bug,
  ).not.toBe(id.bug);
});

test("a crash without any frame that counts is told by its place, else by its signal; never by nothing", () => {
  const raised = idOf(
    { name: "raise", path: LIBC },
    { name: null, path: "/usr/lib/libstdc++.so.6", at: 0x77n },
  );
  expect(raised.frames).toEqual([`${LIBC}+0x10`, "/usr/lib/libstdc++.so.6+0x77"]);
  expect(idOf({ name: "guess", trust: "scan" }).frames).toEqual(["code 1"]);
  const none = (program: string) => fingerprintOf({ ...crash, program, frames: [], culprits: [] });
  expect(none("/a").frames).toEqual(["code 1"]);
  expect(none("/a").bug).not.toBe(none("/b").bug);
});
