// Finds out why a program ended itself, by the functions of its language's runtime that stand between the failure and
// abort() or a trap.
import type { NamedFrame } from "./frame-symbols.ts";
import { shortName } from "./short-name.ts";
import { signalName } from "../model/signal-name.ts";

/** The first that any frame's function is like. */
const REASONS: readonly [RegExp, string][] = [
  [/^v8::internal::V8::FatalProcessOutOfMemory$/u, "the JavaScript heap is full"],
  [/^v8::internal::Isolate::CreateMessageOrAbort$/u, "JavaScript exception that nothing caught"],
  [/^(?:node::Assert|V8_Fatal)$/u, "failed check of Node's"],
  [/^node::Abort$/u, "process.abort()"],
  [/^VMError::report_and_die$/u, "fatal error of the JVM"],
  [/^runtime\.sigpanic(?:\.|$)/u, "Go panic by a bad memory access"],
  [/^runtime\.gopanic(?:\.|$)/u, "Go panic"],
  [/^runtime\.(?:fatal|throw|fatalthrow)(?:\.|$)/u, "fatal error of Go's runtime"],
  [/^(?:__rustc::)?rust_begin_unwind$|^core::panicking::/u, "Rust panic"],
  [/^_?Py_FatalError/u, "fatal error of Python"],
  [/^__cxa_pure_virtual$/u, "pure virtual function called"],
  [/^__cxa_(?:re)?throw$/u, "C++ exception that nothing caught"],
  [/^std::terminate$/u, "std::terminate() called"],
];
/** SIGILL, SIGTRAP, SIGABRT: what a program ends itself by. */
const OWN_ENDS = new Set([4, 5, 6]);
const CRASH_SIGNALS = new Set([4, 5, 7, 8, 11, 31]);

/**
 * Returns the reason in a few words, with the signal that had come before and was handled; null for other signals and
 * where no function tells.
 */
export function abortReason(signal: number, frames: readonly NamedFrame[]): string | null {
  if (!OWN_ENDS.has(signal)) return null;
  const names = frames.map(({ name }) => (name === null ? "" : shortName(name)));
  const known = REASONS.find(([pattern]) => names.some((name) => pattern.test(name)))?.[1] ?? null;
  const handled = frames.find(
    ({ frame }) => frame.signal !== null && CRASH_SIGNALS.has(frame.signal),
  );
  if (handled === undefined) return known;
  const before = signalName(handled.frame.signal ?? 0);
  return known === null ? `handler of ${before} called abort()` : `${known} after ${before}`;
}
