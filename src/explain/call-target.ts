// Finds the function that the call before a return address leads to, from its machine code: directly, or by the stub of
// the procedure linkage table, whose slot the loader has filled. This tells a return address that belongs to the
// running function from one that an earlier call has left on the stack.
import type { UnwindContext } from "./unwind-context.ts";

const ENDBR64 = 0xfa1e0ff3;
const BTI_C = 0xd503245f;

/**
 * Where the jumps in a function's first bytes lead to: a wrapper (free → __libc_free), a tail call. Throws Malformed.
 */
export function jumpTargets(start: bigint, sizeBytes: number, context: UnwindContext): bigint[] {
  context.budget.spendSteps(sizeBytes);
  const code = context.memory.read(start, sizeBytes);
  return context.architecture.machine === "x86_64"
    ? jumpsOfX86(start, code, context)
    : jumpsOfArm(start, code, context);
}

function jumpsOfX86(start: bigint, code: Buffer, context: UnwindContext): bigint[] {
  const targets: bigint[] = [];
  for (let at = 0; at + 5 <= code.length; at++) {
    if (code[at] !== 0xe9) continue;
    const target = start + BigInt(at + 5 + code.readInt32LE(at + 1));
    targets.push(stubTargetX86(target, context) ?? target);
  }
  return targets;
}

function jumpsOfArm(start: bigint, code: Buffer, context: UnwindContext): bigint[] {
  const targets: bigint[] = [];
  for (let at = 0; at + 4 <= code.length; at += 4) {
    const word = code.readUInt32LE(at);
    if (word >>> 26 !== 0x05) continue;
    const target = start + BigInt(at) + branchDistance(word);
    targets.push(stubTargetArm(target, context) ?? target);
  }
  return targets;
}

/** Returns the distance that b or bl jumps, in bytes. */
function branchDistance(word: number): bigint {
  return BigInt.asIntN(26, BigInt(word)) * 4n;
}

/** Returns where a call leads; undefined for one through a register, whose target is not known any more. */
export function callTarget(returnAddress: bigint, context: UnwindContext): bigint | undefined {
  return context.architecture.machine === "x86_64"
    ? targetOfX86(returnAddress, context)
    : targetOfArm(returnAddress, context);
}

function targetOfX86(returnAddress: bigint, context: UnwindContext): bigint | undefined {
  const before = context.memory.read(returnAddress - 6n, 6);
  if (before.length < 6) return undefined;
  const distance = BigInt(before.readInt32LE(2));
  // call *slot(%rip)
  if (before[0] === 0xff && before[1] === 0x15) return context.word(returnAddress + distance);
  if (before[1] !== 0xe8) return undefined;
  const target = BigInt.asUintN(64, returnAddress + distance);
  return stubTargetX86(target, context) ?? target;
}

/** endbr64? bnd? jmp *slot(%rip) */
function stubTargetX86(stub: bigint, context: UnwindContext): bigint | undefined {
  const code = context.memory.read(stub, 16);
  if (code.length < 16) return undefined;
  let at = code.readUInt32LE(0) === ENDBR64 ? 4 : 0;
  if (code[at] === 0xf2) at++;
  if (code[at] !== 0xff || code[at + 1] !== 0x25) return undefined;
  return context.word(stub + BigInt(at + 6 + code.readInt32LE(at + 2)));
}

function targetOfArm(returnAddress: bigint, context: UnwindContext): bigint | undefined {
  const before = context.memory.read(returnAddress - 4n, 4);
  const word = before.length < 4 ? 0 : before.readUInt32LE(0);
  if (word >>> 26 !== 0x25) return undefined;
  const target = BigInt.asUintN(64, returnAddress - 4n + branchDistance(word));
  return stubTargetArm(target, context) ?? target;
}

/** bti c? adrp x16, page; ldr x17, [x16, offset] */
function stubTargetArm(stub: bigint, context: UnwindContext): bigint | undefined {
  const code = context.memory.read(stub, 12);
  if (code.length < 12) return undefined;
  const at = code.readUInt32LE(0) === BTI_C ? 4 : 0;
  const [page, load] = [code.readUInt32LE(at), code.readUInt32LE(at + 4)];
  if ((page & 0x9f00_001f) >>> 0 !== 0x9000_0010 || (load & 0xffc0_03ff) >>> 0 !== 0xf940_0211)
    return undefined;
  const pages = BigInt.asIntN(21, BigInt((((page >>> 5) & 0x7ffff) << 2) | ((page >>> 29) & 3)));
  const base = (stub + BigInt(at)) & ~0xfffn;
  return context.word(
    BigInt.asUintN(64, base + pages * 4096n + BigInt(((load >>> 10) & 0xfff) * 8)),
  );
}
