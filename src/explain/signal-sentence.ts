// Says in one sentence what the signal means: which access failed and why, or who sent it.
import type { CoreThread, ElfCore, SignalInfo } from "./elf-core.ts";
import { accessOf } from "./memory-access.ts";
import { isOwnTrap, isStackOverflow } from "./fault-kind.ts";
import { signalCodeName, wasSent } from "./signal-codes.ts";
import type { UnwindContext } from "./unwind-context.ts";
import { hex, type SummarySignal } from "../model/crash-summary.ts";
import { signalName } from "../model/signal-name.ts";

const [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS] = [4, 5, 6, 7, 8, 11, 31];
const HAS_ADDRESS = new Set([SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV]);
const SI_KERNEL = 128;
const [SEGV_ACCERR, BUS_ADRALN, BUS_ADRERR, BUS_MCEERR_AR] = [2, 1, 2, 4];
/** Fields of a structure at null lie here. */
const NEAR_NULL = 0x10000n;
const X86_HALT = 0xf4;
const STOPPED_ITSELF = "the program stopped itself: code that must not be reached (__builtin_trap)";

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
      return isOwnTrap(core, context)
        ? STOPPED_ITSELF
        : "an instruction that the processor does not know";
    case SIGTRAP:
      return isOwnTrap(core, context)
        ? STOPPED_ITSELF
        : "a breakpoint, or the program stopped itself";
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
    return "the program stopped itself (hlt): musl does so when its heap or stack is damaged";
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

function isMappedFile({ mappings }: ElfCore, address: bigint): boolean {
  return mappings.some(({ start, end }) => address >= start && address < end);
}
