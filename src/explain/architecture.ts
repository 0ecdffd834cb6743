// Holds what differs between x86-64 and aarch64: registers by their DWARF number, where the kernel saves them, and how
// a signal handler's return and a call look as machine code.
import type { Machine } from "./elf-header.ts";

/** By DWARF number; undefined where a frame's value is not known. */
export type Registers = (bigint | undefined)[];

/** One machine's registers and code patterns. */
export interface Architecture {
  machine: Machine;
  stackPointer: number;
  framePointer: number;
  /** The column that CFI usually keeps the return address in; aarch64 has a register of its own for it. */
  returnAddress: number;
  linkRegister: number | undefined;
  /** By DWARF number, as gdb names them. */
  names: readonly string[];
  /** In struct elf_prstatus's pr_reg and in a signal frame: the DWARF number of each saved word, -1 for none. */
  statusOrder: readonly number[];
  statusProgramCounter: number;
  contextOrder: readonly number[];
  contextProgramCounter: number;
  /** In bytes above a signal handler's return: the saved registers, and siginfo. */
  contextOffset: bigint;
  signalInfoOffset: bigint;
  /** The number of the processor's exception, where the signal frame has it. */
  trapOffset: bigint | undefined;
  /** mov the number of rt_sigreturn; system call. */
  signalReturn: Buffer;
  /** Returns whether the bytes just before an address are a call. */
  endsInCall(before: Buffer): boolean;
}

/** How many bytes before an address are looked at for a call. */
export const CALL_MAX_BYTES = 7;

const X86_64: Architecture = {
  machine: "x86_64",
  stackPointer: 7,
  framePointer: 6,
  returnAddress: 16,
  linkRegister: undefined,
  names: "rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip".split(" "),
  // struct user_regs_struct: r15 … rsp; orig_rax, cs and eflags have no number here.
  statusOrder: [15, 14, 13, 12, 6, 3, 11, 10, 9, 8, 0, 2, 1, 4, 5, -1, 16, -1, -1, 7],
  statusProgramCounter: 16,
  // struct sigcontext: r8 … rip.
  contextOrder: [8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16],
  contextProgramCounter: 16,
  contextOffset: 40n,
  signalInfoOffset: 304n,
  trapOffset: 200n,
  signalReturn: Buffer.from("48c7c00f0000000f05", "hex"),
  endsInCall(before) {
    const { length } = before;
    if (length >= 5 && before[length - 5] === 0xe8) return true;
    // call through a register or memory: ff /2, two to seven bytes long.
    for (let size = 2; size <= Math.min(CALL_MAX_BYTES, length); size++)
      if (before[length - size] === 0xff && ((before[length - size + 1] ?? 0) & 0x38) === 0x10)
        return true;
    return false;
  },
};

const AARCH64_REGISTERS = Array.from({ length: 32 }, (_, index) => index);

const AARCH64: Architecture = {
  machine: "aarch64",
  stackPointer: 31,
  framePointer: 29,
  returnAddress: 30,
  linkRegister: 30,
  names: [...AARCH64_REGISTERS.slice(0, 31).map((index) => `x${index}`), "sp", "pc"],
  statusOrder: AARCH64_REGISTERS,
  statusProgramCounter: 32,
  contextOrder: AARCH64_REGISTERS,
  contextProgramCounter: 32,
  // struct rt_sigframe: siginfo of 128 bytes, then ucontext, whose mcontext begins at 176 with fault_address.
  contextOffset: 128n + 176n + 8n,
  signalInfoOffset: 0n,
  trapOffset: undefined,
  signalReturn: Buffer.from("681180d2010000d4", "hex"),
  endsInCall(before) {
    if (before.length < 4) return false;
    const word = before.readUInt32LE(before.length - 4);
    return word >>> 26 === 0x25 || (word & 0xffff_fc1f) >>> 0 === 0xd63f_0000 || isSignedCall(word);
  },
};

/** Returns whether an instruction is blraa, blrab or one of their forms with zero. */
function isSignedCall(word: number): boolean {
  return (word & 0xfeff_f800) >>> 0 === 0xd63f_0800;
}

/** Returns the description of a machine. */
export function architectureOf(machine: Machine): Architecture {
  return machine === "x86_64" ? X86_64 : AARCH64;
}
