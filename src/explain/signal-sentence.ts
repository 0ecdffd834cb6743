// What the signal means, in one sentence: which access failed and why, who sent it.
import { segmentAt } from "./core-memory.ts";
import type { CoreThread, ElfCore, SignalInfo } from "./elf-core.ts";
import { accessOf } from "./memory-access.ts";
import { signalCodeName, wasSent } from "./signal-codes.ts";
import type { UnwindContext } from "./unwind-context.ts";
import { hex, type SummarySignal } from "../model/crash-summary.ts";
import { signalName } from "../model/signal-name.ts";

const [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS] = [4, 5, 6, 7, 8, 11, 31];
const HAS_ADDRESS = new Set([SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV]);
const SI_KERNEL = 128;
const [SEGV_ACCERR, BUS_ADRALN, BUS_ADRERR, BUS_MCEERR_AR] = [2, 1, 2, 4];
const PF_W = 2;
/** Fields of a structure at null lie here. */
const NEAR_NULL = 0x10000n;
/** A function's frame reaches this far below the stack pointer at most, usually. */
const FRAME_MAX_BYTES = 64n << 10n;
/** The kernel keeps a gap of 1 MiB below a growing stack. */
const GUARD_MAX_BYTES = 1n << 20n;
const X86_HALT = 0xf4;
/** ud2 */
const X86_TRAP = Buffer.from("0f0b", "hex");

/** Returns the summary's signal with its sentence; null where the core names none. */
export function describeSignal(core: ElfCore, context: UnwindContext): SummarySignal | null {
  const { signal, threads } = core;
  if (signal === null) return null;
  const isSent = wasSent(signal.code);
  const hasAddress =
    HAS_ADDRESS.has(signal.number) && !isSent && signal.code !== null && signal.code !== SI_KERNEL;
  return {
    number: signal.number,
    name: signalName(signal.number),
    code: signal.code,
    code_name: signalCodeName(signal.number, signal.code),
    fault_address: hasAddress ? hex(signal.address) : null,
    sender_pid: isSent ? senderOf(signal).pid : null,
    sentence: isSent
      ? sentenceOfSent(signal, core)
      : sentenceOfFault(signal, threads[0], core, context),
  };
}

/** True where the fault lies just below the stack of the thread that crashed. */
export function isStackOverflow({ signal, threads, segments, architecture }: ElfCore): boolean {
  const stack = threads[0]?.registers[architecture.stackPointer];
  if (signal === null || stack === undefined || signal.code === null) return false;
  if (wasSent(signal.code)) return false;
  if (signal.number !== SIGSEGV && signal.number !== SIGBUS) return false;
  const { address } = signal;
  const distance = address > stack ? address - stack : stack - address;
  if (distance > FRAME_MAX_BYTES) return false;
  const here = segmentAt(segments, address);
  if (here !== undefined && (here.flags & PF_W) !== 0) return false;
  const above = segments.find(
    (segment) => segment.address > address && (segment.flags & PF_W) !== 0,
  );
  return above !== undefined && above.address - address < FRAME_MAX_BYTES + GUARD_MAX_BYTES;
}

function senderOf({ address }: SignalInfo): { pid: number; uid: number } {
  return { pid: Number(address & 0xffff_ffffn), uid: Number(address >> 32n) };
}

function sentenceOfSent(signal: SignalInfo, { process }: ElfCore): string {
  const { pid, uid } = senderOf(signal);
  const isOwn = process !== null && pid === process.pid;
  if (isOwn)
    return signal.number === SIGABRT
      ? "killed by abort()"
      : "the process sent the signal to itself";
  return pid === 0
    ? "the signal was sent from outside the container"
    : `the signal was sent by process ${pid}, user ${uid}`;
}

function sentenceOfFault(
  signal: SignalInfo,
  thread: CoreThread | undefined,
  core: ElfCore,
  context: UnwindContext,
): string {
  const { number, code } = signal;
  if (code === null) return "the core tells no more of the signal";
  switch (number) {
    case SIGSEGV:
      return sentenceOfSegv(signal, thread, core, context);
    case SIGBUS:
      if (code === BUS_ADRALN) return `access to ${hex(signal.address)}, which is not aligned`;
      if (code >= BUS_MCEERR_AR) return "the machine's memory has failed";
      return code === BUS_ADRERR && isMappedFile(core, signal.address)
        ? "access past the end of a mapped file: it was cut short, or its disk is full"
        : `access to ${hex(signal.address)}, which has no memory behind it`;
    case SIGFPE:
      return FPE_SENTENCES[code] ?? "arithmetic that the processor refuses";
    case SIGILL:
      return isOwnTrap(thread, core, context)
        ? "the program stopped itself: code that must not be reached (__builtin_trap)"
        : "an instruction that the processor does not know";
    case SIGTRAP:
      return "a breakpoint, or the program stopped itself";
    case SIGSYS:
      return "a system call that the seccomp profile forbids";
    case SIGABRT:
      return "killed by abort()";
    default:
      return `the kernel sent ${signalName(number)}`;
  }
}

const FPE_SENTENCES: Readonly<Record<number, string>> = {
  1: "integer division by zero, or of the smallest integer by -1",
  2: "an integer overflow",
  3: "a floating-point division by zero",
  4: "a floating-point overflow",
  5: "a floating-point underflow",
  6: "an inexact floating-point result",
  7: "an invalid floating-point operation",
};

function sentenceOfSegv(
  { address, code }: SignalInfo,
  thread: CoreThread | undefined,
  core: ElfCore,
  context: UnwindContext,
): string {
  const program = thread?.programCounter;
  if (
    program !== undefined &&
    (program === address || code === SI_KERNEL) &&
    !context.isExecutable(program)
  )
    return program < NEAR_NULL
      ? `call of ${hex(program)}: a null function pointer`
      : `call of ${hex(program)}, an address that is not code`;
  if (
    code === SI_KERNEL &&
    program !== undefined &&
    context.memory.read(program, 1)[0] === X86_HALT
  )
    return "the program stopped itself (hlt): musl does so when its heap is damaged";
  if (code === SI_KERNEL)
    return "access to an address that cannot exist: a wild or overwritten pointer";
  if (isStackOverflow(core)) return "stack overflow: the address is just below the stack";
  const machine = core.architecture.machine;
  const access =
    program === undefined ? "access" : accessOf(context.memory.read(program, 15), machine);
  const what = access === "access" ? "access to" : `${access} of`;
  if (code === SEGV_ACCERR) {
    const to =
      access === "write" && isMappedFile(core, address) ? ", a part of a program or file" : "";
    return `${what} ${hex(address)}, which is protected against it${to}`;
  }
  const near = address < NEAR_NULL ? ": close to null" : "";
  return `${what} unmapped address ${hex(address)}${near}`;
}

function isOwnTrap(thread: CoreThread | undefined, core: ElfCore, context: UnwindContext): boolean {
  if (thread === undefined) return false;
  const code = context.memory.read(thread.programCounter, 4);
  if (core.architecture.machine === "x86_64") return code.subarray(0, 2).equals(X86_TRAP);
  return code.length === 4 && code.readUInt32LE(0) < 0x10000;
}

function isMappedFile({ mappings }: ElfCore, address: bigint): boolean {
  return mappings.some(({ start, end }) => address >= start && address < end);
}
