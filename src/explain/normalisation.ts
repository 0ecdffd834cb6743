// Chooses the frames of a stack that say whose bug it is: without the machinery that reports a failure, without how a
// thread begins, recursion once, the C library's inner functions as one. satyr, Socorro, apport and Sentry agree on
// this shape.
import { baseName, isCLibrary, isRuntimeLibrary } from "./c-library.ts";
import type { NamedFrame } from "./frame-symbols.ts";
import {
  isFailureFunction,
  isGlueFunction,
  isJavaScriptFailure,
  isStartFunction,
} from "./known-functions.ts";
import { shortName } from "./short-name.ts";
import { hex } from "../model/crash-summary.ts";

/** A frame that counts. */
export interface CulpritFrame {
  named: NamedFrame;
  /** "app::Worker<T>::get"; "libfoo.so+0x1200", where its function begins; "libc". */
  label: string;
}

/** A handler for these was called because the program had crashed: what was interrupted is the culprit. */
const CRASH_SIGNALS = new Set([4, 5, 6, 7, 8, 11, 31]);
/** The machinery stands at the stack's inner end. */
const MACHINERY_MAX_FRAMES = 40;
const CYCLE_MAX_FRAMES = 4;
/** Static programs may have it under its local name. */
const STACK_SMASHED = /^__stack_chk_fail(?:_local)?$/u;
const C_LIBRARY_LABEL = "libc";
const V8_BUILTIN = "Builtins_";
const GENERATED = "generated code";
const GENERATED_LABELS: ReadonlySet<string> = new Set(["JavaScript", "Java", GENERATED]);
/** Chosen by the processor's features when the program starts, with or without names. */
const VARIANT =
  /^(?:__)?(?:mem(?:cpy|move|set|chr|rchr|cmp|mem|pcpy|ccpy)|str(?:n?len|n?cpy|n?cat|n?cmp|n?casecmp|r?chr|chrnul|str|casestr|pbrk|c?spn)|stpn?cpy|rawmemchr|wcs(?:n?len|n?cpy|n?cmp|r?chr)|wmem(?:chr|cmp|set)|bcmp|bzero)(?:_(?:sse|ssse|avx|evex|erms|generic|asimd|sve|mops|advsimd)\w*)?$/u;
/** The standard libraries of C++ and Rust: which of their functions are inlined is the compiler's choice. */
const STANDARD = /^(?:std|__gnu_cxx|core|alloc)::|^<(?:std|core|alloc)::/u;
/** Inside malloc and qsort of a static program, which has all names. */
const INNER =
  /^(?:(?:_int_(?:free|malloc|realloc|memalign)|get_meta|sift|trinkle|__restore_sigs)$|tcache_|unlink_chunk|sysmalloc|malloc_consolidate|msort_with_tmp)/u;
/** What a static program's functions are called inside the library. */
const PUBLIC_ALIAS = /^(?:__libc_(?=(?:free|malloc|calloc|realloc|memalign)$)|__GI_+|__(?=qsort))/u;

/** Returns the frames that count, innermost first; none where nothing is left that would tell. */
export function findCulprits(frames: readonly NamedFrame[]): CulpritFrame[] {
  const sure = frames.filter(({ frame }) => frame.trust !== "scan");
  const labelled = withoutMachinery(withoutStart(sure))
    .filter(
      ({ frame, name }) =>
        !frame.isSignalFrame && !(name !== null && isGlueFunction(shortName(name))),
    )
    .flatMap((named, index, all) =>
      isGenerated(named, index === all.length - 1) ? [labelGenerated(named, all)] : labelOf(named),
    );
  const culprits = withoutRecursion(withoutStandard(withoutInnerLibrary(untilGenerated(labelled))));
  // An overwritten stack: what lies outside of the function is what was written over it.
  return sure.some(({ name }) => STACK_SMASHED.test(name ?? "")) ? culprits.slice(0, 1) : culprits;
}

/** Leaves out how a process or thread begins, and what the C library calls main by. */
function withoutStart(frames: readonly NamedFrame[]): readonly NamedFrame[] {
  const start = frames.findIndex(({ name }) => name !== null && isStartFunction(shortName(name)));
  const main = frames.findLastIndex(({ name }) => name === "main" || name === "main.main");
  const end = Math.min(
    start === -1 ? frames.length : start,
    main === -1 ? frames.length : main + 1,
  );
  return end === 0 ? frames : frames.slice(0, end);
}

/**
 * What lies outside of the functions that reported the failure, and of the handler of a signal that was a crash
 * itself. All where nothing would be left.
 */
function withoutMachinery(frames: readonly NamedFrame[]): readonly NamedFrame[] {
  const interruption = frames.findIndex(
    ({ frame }) => frame.isSignalFrame && !isCrashSignal(frame.signal),
  );
  const handler = interruption === -1 ? [] : afterMachinery(frames.slice(0, interruption));
  if (handler.length > 0) {
    // The handler of a timer's or user's signal failed: where the program was interrupted is chance.
    const isKnown = frames[interruption]?.frame.signal !== null;
    return isKnown ? handler : [...handler, ...afterRaise(frames.slice(interruption + 1))];
  }
  const rest = afterJavaScriptFailure(frames, afterMachinery(frames));
  return rest.length === 0 ? frames : rest;
}

/** Leaves out V8's functions where JavaScript failed: which of them noticed that is chance. */
function afterJavaScriptFailure(
  frames: readonly NamedFrame[],
  rest: readonly NamedFrame[],
): readonly NamedFrame[] {
  if (!frames.some(({ name }) => name !== null && isJavaScriptFailure(shortName(name))))
    return rest;
  const first = rest.findIndex(({ name }) => name === null || !shortName(name).startsWith("v8::"));
  return first === -1 ? rest : rest.slice(first);
}

function afterMachinery(frames: readonly NamedFrame[]): readonly NamedFrame[] {
  const last = frames
    .slice(0, MACHINERY_MAX_FRAMES)
    .findLastIndex(({ frame, name }) =>
      frame.isSignalFrame
        ? isCrashSignal(frame.signal)
        : name !== null && isFailureFunction(shortName(name)),
    );
  return frames.slice(last + 1);
}

/** Leaves out the functions that the signal was sent by. */
function afterRaise(frames: readonly NamedFrame[]): readonly NamedFrame[] {
  const first = frames.findIndex(
    ({ name }) => name !== null && !isFailureFunction(shortName(name)),
  );
  return first === -1 ? frames : frames.slice(first);
}

function isCrashSignal(signal: number | null): boolean {
  return signal !== null && CRASH_SIGNALS.has(signal);
}

/**
 * Returns whether a frame lies in code that the process made itself (V8, JVM), or in V8's own functions in machine
 * code. The stack's end may be no code.
 */
function isGenerated({ module, name, frame }: NamedFrame, isLast: boolean): boolean {
  if (name?.startsWith(V8_BUILTIN) === true) return true;
  return module === undefined && frame.trust !== "context" && !isLast;
}

function labelGenerated(named: NamedFrame, all: readonly NamedFrame[]): CulpritFrame {
  const isV8 = all.some(({ name }) => name?.startsWith(V8_BUILTIN) === true);
  const isJava = all.some(({ module }) => baseName(module?.path ?? "") === "libjvm.so");
  return { named, label: isV8 ? "JavaScript" : isJava ? "Java" : GENERATED };
}

/** Leaves out what called the generated code: a runtime starts all of it that way. */
function untilGenerated(frames: readonly CulpritFrame[]): readonly CulpritFrame[] {
  const first = frames.findIndex(({ label }) => GENERATED_LABELS.has(label));
  return first === -1 ? frames : frames.slice(0, first + 1);
}

function labelOf(named: NamedFrame): CulpritFrame[] {
  const { module, name, functionStart, frame, isExported } = named;
  if (module === undefined) return [];
  if (name === null && isRuntimeLibrary(module.path)) return [];
  if (name === null && !isCLibrary(module.path)) {
    const offset = functionStart ?? BigInt.asUintN(64, frame.lookup - module.bias);
    return [{ named, label: `${baseName(module.path)}+${hex(offset)}` }];
  }
  const short = name === null ? "" : shortName(name).replace(PUBLIC_ALIAS, "");
  if (INNER.test(short)) return [];
  const isInner = name === null || VARIANT.test(short) || (isCLibrary(module.path) && !isExported);
  return [{ named, label: isInner ? C_LIBRARY_LABEL : short }];
}

/**
 * Leaves out the library's inner functions, except those that the program called itself; none counts at the outer end.
 */
function withoutInnerLibrary(frames: readonly CulpritFrame[]): CulpritFrame[] {
  const kept = frames.filter(({ label }, index) => {
    if (label !== C_LIBRARY_LABEL) return true;
    const next = frames.slice(index + 1).find((other) => other.label !== C_LIBRARY_LABEL);
    const path = next?.named.module?.path;
    return next !== undefined && path !== undefined && !isCLibrary(path);
  });
  return kept.length === 0 ? frames.slice(0, 1) : kept;
}

/** Leaves out the standard libraries' innermost functions, except where nothing else is left. */
function withoutStandard(frames: readonly CulpritFrame[]): readonly CulpritFrame[] {
  const first = frames.findIndex(({ label }) => !STANDARD.test(label));
  return first === -1 ? frames : frames.slice(first);
}

/** Keeps each cycle of up to four frames once: a b a b c → a b c. */
function withoutRecursion(frames: readonly CulpritFrame[]): CulpritFrame[] {
  const kept: CulpritFrame[] = [];
  for (const frame of frames) {
    kept.push(frame);
    for (let size = 1; size <= CYCLE_MAX_FRAMES; size++) {
      const isRepeated =
        kept.length >= 2 * size &&
        kept.slice(-size).every(({ label }, index) => label === kept.at(index - 2 * size)?.label);
      if (isRepeated) kept.length -= size;
    }
  }
  return kept;
}
