// Steps one frame outwards in Go's own code, whose function table tells the frame's size at every instruction.
import { lookupAddress, type FrameState, type UnwindContext } from "./unwind-context.ts";
import { orUndefined } from "./malformed.ts";
import type { Registers } from "./architecture.ts";

export type GoStep =
  | { kind: "caller"; state: FrameState; isOtherStack: boolean }
  | { kind: "outermost" }
  | { kind: "none" };

const NONE: GoStep = { kind: "none" };
/** Go's own traces end where the kernel called the handler; what the signal interrupted stands behind it. */
const SIGNAL_HANDLER = /^runtime\.(?:sigtramp|cgoSigtramp)(?:\.abi0)?$/u;

/** Steps one frame outwards by Go's table. */
export function stepByGoTable(state: FrameState, context: UnwindContext): GoStep {
  const address = lookupAddress(state);
  const module = context.modules.at(address);
  const table = module === undefined ? undefined : context.goTableOf(module);
  if (table === undefined) return NONE;
  const found = orUndefined(() => table.find(address));
  if (found === undefined) return NONE;
  if (found.isOutermost && !SIGNAL_HANDLER.test(found.name)) return { kind: "outermost" };
  if (found.switchesStack) return stepToGoroutine(state, context);
  const frameBytes = orUndefined(() => found.frameBytes(address));
  return frameBytes === undefined ? NONE : stepByFrameSize(state, BigInt(frameBytes), context);
}

function stepByFrameSize(state: FrameState, frame: bigint, context: UnwindContext): GoStep {
  const { stackPointer, framePointer, linkRegister } = context.architecture;
  const stack = state.registers[stackPointer];
  if (stack === undefined) return NONE;
  const registers: Registers = state.registers.slice();
  let programCounter: bigint | undefined;
  if (linkRegister === undefined) {
    programCounter = context.word(stack + frame);
    registers[stackPointer] = stack + frame + 8n;
    if (frame >= 8n) registers[framePointer] = context.word(stack + frame - 8n);
  } else {
    programCounter = frame === 0n ? state.registers[linkRegister] : context.word(stack);
    registers[stackPointer] = stack + frame;
    registers[linkRegister] = programCounter;
    if (frame > 0n) registers[framePointer] = context.word(stack - 8n);
  }
  if (programCounter === undefined) return NONE;
  return {
    kind: "caller",
    state: { registers, programCounter, isExact: false },
    isOtherStack: false,
  };
}

/**
 * On the thread's own stack the frame pointer is still the goroutine's (runtime/asm_amd64.s, systemstack); where it is
 * none, the goroutine was left for good (mcall).
 */
function stepToGoroutine({ registers }: FrameState, context: UnwindContext): GoStep {
  const { stackPointer, framePointer } = context.architecture;
  const frame = registers[framePointer];
  if (frame === undefined || frame === 0n) return { kind: "outermost" };
  const [outer, programCounter] = [context.word(frame), context.word(frame + 8n)];
  if (programCounter === undefined || !context.isReturnAddress(programCounter))
    return { kind: "outermost" };
  const caller: Registers = [];
  caller[stackPointer] = frame + 16n;
  caller[framePointer] = outer;
  return {
    kind: "caller",
    state: { registers: caller, programCounter, isExact: false },
    isOtherStack: true,
  };
}
