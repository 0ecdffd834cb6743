// Finds the stack that a signal's handler interrupted, which may be another one (sigaltstack(2)): a guess by the shape of
// the frame that the kernel leaves, of which the explainer makes sure.

/** How far up a stack such a frame is looked for, in bytes. */
const SCAN_BYTES = 64 << 10;

/**
 * Returns the stack pointer in a signal's frame on `stack`, unless it is a known one: flags, link and stack of its
 * ucontext come first, then the registers (arch/x86/kernel/signal.c, arch/arm64/kernel/signal.c).
 */
export function findInterrupted(
  stack: Buffer,
  isArm: boolean,
  isKnown: (address: bigint) => boolean,
): bigint | undefined {
  const [stackPointerAt, checkAt, lastAt] = isArm ? [432, 448, 456] : [160, 184, 192];
  const end = Math.min(stack.length, SCAN_BYTES);
  for (let at = 0; at + lastAt <= end; at += 8) {
    if (stack.readUInt32LE(at) > 31 || stack.readUInt32LE(at + 4) !== 0) continue;
    if (stack.readUInt32LE(at + 8) !== 0 || stack.readUInt32LE(at + 12) !== 0) continue;
    // User code's segment; a processor state without exception level.
    const check = stack.readUInt32LE(at + checkAt);
    if (isArm ? (check & 0x1f) !== 0 : (check & 0xffff) !== 0x33) continue;
    const address = stack.readBigUInt64LE(at + stackPointerAt);
    if (address > 4096n && address < 1n << 56n && !isKnown(address)) return address;
  }
  return undefined;
}
