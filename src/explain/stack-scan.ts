// Steps one frame outwards by looking through the stack for a return address, the last resort, for code without call
// frame information. One whose call leads to the running function is as good as certain ("call"); any other may be what
// an earlier call has left, so it is marked ("scan") and counts for no fingerprint.
import type { Registers } from "./architecture.ts";
import { callTarget, jumpTargets } from "./call-target.ts";
import { lookupAddress, type FrameState, type UnwindContext } from "./unwind-context.ts";

/** How far into a function a jump to the next one is looked for. */
const [WRAPPER_BYTES, SHORT_WRAPPER_BYTES] = [256, 64];
const HOPS_MAX = 2;
/** A function without a symbol is taken to be no longer than this, in bytes. */
const UNNAMED_MAX_BYTES = 2048n;

/** Steps one frame outwards by the next likely return address within maxWords; undefined where there is none. */
export function stepByScan(
  state: FrameState,
  context: UnwindContext,
  maxWords: number,
): { state: FrameState; trust: "call" | "scan" } | undefined {
  const stack = state.registers[context.architecture.stackPointer];
  if (stack === undefined) return undefined;
  const words = context.memory.read(stack, maxWords * 8);
  let possible: FrameState | undefined;
  for (let at = 0; at + 8 <= words.length; at += 8) {
    const programCounter = context.codeAddress(words.readBigUInt64LE(at));
    if (!context.isReturnAddress(programCounter)) continue;
    const caller = callerAt(state, stack + BigInt(at + 8), programCounter, context);
    if (leadsHere(programCounter, state, context)) return { state: caller, trust: "call" };
    possible ??= caller;
  }
  return possible === undefined ? undefined : { state: possible, trust: "scan" };
}

function callerAt(
  { registers }: FrameState,
  stack: bigint,
  programCounter: bigint,
  { architecture }: UnwindContext,
): FrameState {
  const caller: Registers = [];
  caller[architecture.stackPointer] = stack;
  // Code that keeps no frame pointer may use the register for anything: the next step looks for itself.
  caller[architecture.framePointer] = registers[architecture.framePointer];
  return { registers: caller, programCounter, isExact: false };
}

/**
 * Returns whether a call leads to the function, itself or by functions that end in a jump to the next one (a tail call,
 * a wrapper).
 */
function leadsHere(returnAddress: bigint, state: FrameState, context: UnwindContext): boolean {
  const target = callTarget(returnAddress, context);
  if (target === undefined) return false;
  const here = lookupAddress(state);
  const start = context.functionStart(here);
  const isHere = (found: bigint) =>
    start === undefined ? found <= here && here - found < UNNAMED_MAX_BYTES : found === start;
  // Where the beginning is not known, a jump inside of a neighbour could be taken for one that leads here.
  const lookBytes = start === undefined ? SHORT_WRAPPER_BYTES : WRAPPER_BYTES;
  const follow = (found: bigint, hops: number): boolean =>
    isHere(found) ||
    (hops < HOPS_MAX &&
      jumpTargets(found, lookBytes, context).some((next) => follow(next, hops + 1)));
  return follow(target, 0);
}
