// Steps one frame outwards from a signal handler whose return has no call frame information (musl, Go). The return is
// known by its machine code; the interrupted registers and the signal stand in the signal frame.
import type { Registers } from "./architecture.ts";
import { LOWEST_CODE, type FrameState, type UnwindContext } from "./unwind-context.ts";

/** Steps to what the signal interrupted; undefined where the program counter is at no handler's return. */
export function stepByTrampoline(
  state: FrameState,
  context: UnwindContext,
): FrameState | undefined {
  const { architecture } = context;
  const code = context.memory.read(state.programCounter, architecture.signalReturn.length);
  const stack = state.registers[architecture.stackPointer];
  if (!code.equals(architecture.signalReturn) || stack === undefined) return undefined;
  const words = context.memory.read(
    stack + architecture.contextOffset,
    (Math.max(architecture.contextOrder.length - 1, architecture.contextProgramCounter) + 1) * 8,
  );
  const registers: Registers = [];
  for (const [index, register] of architecture.contextOrder.entries())
    if (index * 8 + 8 <= words.length) registers[register] = words.readBigUInt64LE(index * 8);
  const at = architecture.contextProgramCounter * 8;
  const programCounter = at + 8 <= words.length ? words.readBigUInt64LE(at) : 0n;
  return programCounter < LOWEST_CODE ? undefined : { registers, programCounter, isExact: true };
}

/** Processor exceptions by number, where a handler without SA_SIGINFO gets no siginfo: #UD, #GP, #PF, #MF, #XF. */
const TRAP_SIGNALS: Readonly<Record<number, number>> = { 6: 4, 13: 11, 14: 11, 16: 8, 19: 8 };
const CRASH_SIGNALS = new Set([4, 5, 6, 7, 8, 11, 31]);

/** Reads from the signal frame which signal the handler was called for; undefined where that is not known. */
export function handledSignal(state: FrameState, context: UnwindContext): number | undefined {
  const { stackPointer, signalInfoOffset, trapOffset } = context.architecture;
  const stack = state.registers[stackPointer];
  if (stack === undefined) return undefined;
  const info = context.memory.read(stack + signalInfoOffset, 4);
  const number = info.length < 4 ? 0 : info.readInt32LE(0);
  if (CRASH_SIGNALS.has(number)) return number;
  const trap = trapOffset === undefined ? undefined : context.word(stack + trapOffset);
  const trapped = trap === undefined || trap > 255n ? undefined : TRAP_SIGNALS[Number(trap)];
  return trapped ?? (number > 0 && number <= 64 ? number : undefined);
}
