// Tells kinds of faults that a signal's number alone does not tell: a stack that is too small, and a program that
// stopped itself.
import { segmentAt } from "./core-memory.ts";
import type { ElfCore } from "./elf-core.ts";
import { wasSent } from "./signal-codes.ts";
import type { UnwindContext } from "./unwind-context.ts";

const [SIGILL, SIGTRAP, SIGBUS, SIGSEGV] = [4, 5, 7, 11];
const PF_W = 2;
/** A function's frame reaches this far below the stack pointer at most, usually. */
const FRAME_MAX_BYTES = 64n << 10n;
/** The kernel keeps a gap of 1 MiB below a growing stack. */
const GUARD_MAX_BYTES = 1n << 20n;
/** ud2, behind which the processor does not go; int3, behind which it stands. */
const [X86_UNDEFINED, X86_BREAK] = [Buffer.from("0f0b", "hex"), 0xcc];
/** udf, whose number stands in the lower half; brk, whose number stands in bits 5 to 20. */
const [ARM_UNDEFINED_END, ARM_BREAK, ARM_BREAK_MASK] = [0x10000, 0xd4200000, 0xffe0001f];

/** A push faults before it moves the stack pointer, which then still stands at the stack's very end. */
const STACK_END_BYTES = 1024n;

/**
 * Returns whether the fault lies just below the stack of the thread that crashed. Where the core does not say where
 * the fault was (QEMU's user mode writes such cores), the stack pointer counts.
 */
export function isStackOverflow({ signal, threads, segments, architecture }: ElfCore): boolean {
  const stack = threads[0]?.registers[architecture.stackPointer];
  if (signal === null || stack === undefined || wasSent(signal.code)) return false;
  if (signal.number !== SIGSEGV && signal.number !== SIGBUS) return false;
  const address = signal.code === null ? stack - STACK_END_BYTES : signal.address;
  const distance = address > stack ? address - stack : stack - address;
  if (distance > FRAME_MAX_BYTES) return false;
  const here = segmentAt(segments, address);
  if (here !== undefined && (here.flags & PF_W) !== 0) return false;
  const above = segments.find(
    (segment) => segment.address > address && (segment.flags & PF_W) !== 0,
  );
  return above !== undefined && above.address - address < FRAME_MAX_BYTES + GUARD_MAX_BYTES;
}

/**
 * Returns whether the program ran into an instruction that compilers put where code must not be reached
 * (__builtin_trap, Rust's abort). x86-64 answers it with SIGILL, aarch64 with SIGTRAP.
 */
export function isOwnTrap(
  { signal, threads: [thread], architecture: { machine } }: ElfCore,
  context: UnwindContext,
): boolean {
  if (signal === null || thread === undefined || wasSent(signal.code)) return false;
  const code = context.memory.read(thread.programCounter, 4);
  if (machine === "x86_64")
    return signal.number === SIGTRAP
      ? context.memory.read(thread.programCounter - 1n, 1)[0] === X86_BREAK
      : signal.number === SIGILL && code.indexOf(X86_UNDEFINED) === 0;
  if (code.length < 4) return false;
  const instruction = code.readUInt32LE(0);
  if (signal.number === SIGILL) return instruction < ARM_UNDEFINED_END;
  return signal.number === SIGTRAP && (instruction & ARM_BREAK_MASK) >>> 0 === ARM_BREAK;
}
