// Steps one frame outwards by the chain of frame pointers, for code without call frame information that keeps one.
import type { Registers } from "./architecture.ts";
import type { FrameState, UnwindContext } from "./unwind-context.ts";

/** Returns the caller; undefined unless the chain stays in the stack, goes outwards and leads to a return address. */
export function stepByFramePointer(
  { registers }: FrameState,
  context: UnwindContext,
): FrameState | undefined {
  const { stackPointer, framePointer, linkRegister } = context.architecture;
  const [stack, frame] = [registers[stackPointer], registers[framePointer]];
  if (stack === undefined || frame === undefined || frame < stack || frame % 8n !== 0n)
    return undefined;
  if (!context.isInSameSegment(stack, frame)) return undefined;
  const [outer, found] = [context.word(frame), context.word(frame + 8n)];
  if (outer === undefined || found === undefined) return undefined;
  const programCounter = context.codeAddress(found);
  if (!context.isReturnAddress(programCounter) && !context.isGenerated(programCounter))
    return undefined;
  const caller: Registers = [];
  caller[stackPointer] = frame + 16n;
  caller[framePointer] = outer;
  if (linkRegister !== undefined) caller[linkRegister] = programCounter;
  return { registers: caller, programCounter, isExact: false };
}
