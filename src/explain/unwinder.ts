// Walks a thread's stack outwards, frame by frame, each by the surest way that there is for it, and marks how
// sure that is. It ends: every frame's stack lies above the one before, and there are at most FRAMES_MAX.
import { stepByCfi } from "./cfi-step.ts";
import type { CoreThread } from "./elf-core.ts";
import { stepByFramePointer } from "./frame-pointer-step.ts";
import { stepByGoTable } from "./go-step.ts";
import { FRAMES_MAX, SCAN_FIRST_WORDS, SCAN_WORDS } from "./limits.ts";
import { Malformed } from "./malformed.ts";
import { handledSignal, stepByTrampoline } from "./signal-trampoline.ts";
import { stepByScan } from "./stack-scan.ts";
import {
  lookupAddress,
  LOWEST_CODE,
  type FrameState,
  type UnwindContext,
} from "./unwind-context.ts";
import type { FrameTrust } from "../model/crash-summary.ts";

/** One frame of a stack, and how it was found. */
export interface UnwoundFrame {
  programCounter: bigint;
  /** Inside the instruction that runs or called: for tables of functions. */
  lookup: bigint;
  trust: FrameTrust;
  /** For the frame that a signal handler returns to the kernel by: which signal; null where it cannot be told. */
  signal: number | null;
  isSignalFrame: boolean;
}

/** A thread's stack. */
export interface UnwoundStack {
  frames: UnwoundFrame[];
  /** True where the limit of frames ended it. */
  isCut: boolean;
  /** Why it ended where it had to go on; null for an end like any other. */
  trouble: string | null;
}

type Step = { state: FrameState; trust: FrameTrust; isSignalFrame: boolean };

/** Walks one thread's stack from its registers outwards. */
export function unwind(
  thread: CoreThread,
  context: UnwindContext,
  maxFrames = FRAMES_MAX,
): UnwoundStack {
  let state: FrameState = { ...thread, isExact: true };
  let trust: FrameTrust = "context";
  let trouble: string | null = null;
  const frames: UnwoundFrame[] = [];
  for (;;) {
    const frame: UnwoundFrame = {
      programCounter: state.programCounter,
      lookup: lookupAddress(state),
      trust,
      signal: null,
      isSignalFrame: false,
    };
    frames.push(frame);
    let next: Step | undefined;
    try {
      next = step(state, trust, frames.length === 1, context);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      trouble = error.message;
    }
    if (next === undefined) return { frames, isCut: false, trouble };
    if (next.isSignalFrame) {
      frame.isSignalFrame = true;
      // The kernel put the address there: no call stands before it.
      frame.lookup = frame.programCounter;
      frame.signal = handledSignal(state, context) ?? null;
    }
    if (frames.length >= maxFrames) return { frames, isCut: true, trouble };
    ({ state, trust } = next);
  }
}

function step(
  state: FrameState,
  trust: FrameTrust,
  isInnermost: boolean,
  context: UnwindContext,
): Step | undefined {
  if (!context.isExecutable(state.programCounter))
    return isInnermost ? stepOutOfBadCall(state, context) : undefined;
  const cfi = stepByCfi(state, context);
  if (cfi.kind === "outermost") return undefined;
  if (
    cfi.kind === "caller" &&
    (cfi.isSignalFrame || isOutwards(state, cfi.state, isInnermost, context))
  )
    return accept(cfi.state, "cfi", cfi.isSignalFrame);
  if (cfi.kind === "caller") return undefined;
  const interrupted = stepByTrampoline(state, context);
  if (interrupted !== undefined) return accept(interrupted, "cfi", true);
  const go = stepByGoTable(state, context);
  if (go.kind === "outermost") return undefined;
  if (
    go.kind === "caller" &&
    (go.isOtherStack || isOutwards(state, go.state, isInnermost, context))
  )
    return accept(go.state, go.isOtherStack ? "frame_pointer" : "cfi", false);
  const chained = stepByFramePointer(state, context);
  if (chained !== undefined && isOutwards(state, chained, false, context))
    return accept(chained, "frame_pointer", false);
  const words = trust === "scan" ? SCAN_WORDS : SCAN_FIRST_WORDS;
  const scanned = stepByScan(state, context, words);
  return scanned === undefined ? undefined : accept(scanned.state, scanned.trust, false);
}

/** Returns the step; undefined for a caller near address 0, which is the end of the chain. */
function accept(state: FrameState, trust: FrameTrust, isSignalFrame: boolean): Step | undefined {
  return state.programCounter < LOWEST_CODE ? undefined : { state, trust, isSignalFrame };
}

/**
 * Returns whether a step leads outwards. A leaf function of aarch64 may have no frame at all, but only the innermost,
 * so that no two can alternate.
 */
function isOutwards(
  inner: FrameState,
  outer: FrameState,
  isInnermost: boolean,
  { architecture }: UnwindContext,
): boolean {
  const before = inner.registers[architecture.stackPointer];
  const after = outer.registers[architecture.stackPointer];
  if (before === undefined || after === undefined) return false;
  if (after > before) return true;
  const mayBeLeaf = (isInnermost || inner.isExact) && architecture.linkRegister !== undefined;
  return after === before && mayBeLeaf && outer.programCounter !== inner.programCounter;
}

/** Steps back from a call of what is no code; the call itself has left the return address. */
function stepOutOfBadCall(state: FrameState, context: UnwindContext): Step | undefined {
  const { stackPointer, linkRegister } = context.architecture;
  const stack = state.registers[stackPointer];
  if (stack === undefined) return undefined;
  const found = linkRegister === undefined ? context.word(stack) : state.registers[linkRegister];
  const programCounter = found === undefined ? 0n : context.codeAddress(found);
  if (!context.isReturnAddress(programCounter)) return undefined;
  const registers = state.registers.slice();
  if (linkRegister === undefined) registers[stackPointer] = stack + 8n;
  return accept({ registers, programCounter, isExact: false }, "cfi", false);
}
