// Chooses what a small core has of the memory, the most telling first: the stacks, what a debugger needs to find
// threads and libraries, variables of the program and its libraries, and what registers and stacks point at.
import { findInterrupted } from "../summary/interrupted-stack.ts";
import type { ThreadRegisters } from "./core-notes-copy.ts";
import { pageOf, type CopyPlan } from "./copy-plan.ts";
import { takeModules, takeSmallSegments, takeVdso } from "./module-pages.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** Of all of the stacks together, before anything else is taken; each thread gets a page or two at least. */
const STACKS_BYTES = 64 * MIB;
const CRASHED_STACK_BYTES = MIB;
const STACK_BYTES = 256 * KIB;
/** A mapping of up to this size, with a stack pointer in it, is that stack alone, and is taken as a whole in the end. */
const STACK_MAPPING_BYTES = 16 * MIB;
const DEEP_STACK_BYTES = 8 * MIB;
/** Below the stack pointer: the red zone. */
const RED_ZONE_BYTES = 128n;
/** How far above a stack pointer outside any mapping (a stack that overflowed) the stack is looked for. */
const OVERFLOW_BYTES = MIB;
const INTERRUPTED_MAX = 4;
/** How many pages a stack may point at, and how much of it is looked through. */
const POINTED = { crashed: 1024, other: 48, all: 6144 };
const SCANNED_BYTES = { crashed: 256 * KIB, other: 32 * KIB };

/** Copies. Throws CopyStopped with what was copied until then kept. */
export async function copyByPlan(plan: CopyPlan): Promise<void> {
  const { notes } = plan;
  const [crashed, ...others] = notes.threads;
  if (crashed === undefined) return;
  await takeStack(plan, crashed, CRASHED_STACK_BYTES);
  await takeInterrupted(plan, crashed);
  await takeRegisters(plan, crashed);
  await takeThreadBlock(plan, crashed);
  await takeVdso(plan);
  await takeModules(plan);
  const share = Math.floor(STACKS_BYTES / notes.threads.length);
  for (const thread of others) {
    await takeStack(plan, thread, Math.min(STACK_BYTES, share));
    await takeInterrupted(plan, thread);
  }
  for (const thread of others) await takeThreadBlock(plan, thread);
  await takeSmallSegments(plan);
  for (const thread of others) await takeRegisters(plan, thread);
  const until = plan.copier.kept + POINTED.all;
  for (const thread of notes.threads) {
    const kind = thread === crashed ? "crashed" : "other";
    const left = Math.min(POINTED[kind], until - plan.copier.kept);
    await takePointed(plan, thread, SCANNED_BYTES[kind], left);
  }
  for (const thread of notes.threads) await takeDeepStack(plan, thread);
}

/** Where the crashing thread's stack is; undefined where it has none that the core would have. */
export function stackPageOf(plan: CopyPlan): bigint | undefined {
  const [crashed] = plan.notes.threads;
  if (crashed === undefined) return undefined;
  const { page, index } = stackOf(plan, stackPointerOf(plan, crashed));
  return index < 0 ? undefined : BigInt(page) * BigInt(plan.segments.pageBytes);
}

/** The stack pointer, and the number of the segment that the stack is in. */
function stackOf(plan: CopyPlan, stackPointer: bigint): { page: number; index: number } {
  const { segments } = plan;
  const page = pageOf(plan, stackPointer);
  const index = segments.find(page);
  if (index >= 0) return { page, index };
  // The next segment above, where the stack pointer has left the stack.
  for (let next = segments.before(page) + 1; next < segments.length; next++) {
    const { start, fileEnd } = segments.at(next);
    if (start > page + OVERFLOW_BYTES / segments.pageBytes) break;
    if (fileEnd > start) return { page: start, index: next };
  }
  return { page, index: -1 };
}

async function takeStack(plan: CopyPlan, thread: ThreadRegisters, sizeBytes: number) {
  await takeStackAt(plan, stackPointerOf(plan, thread), sizeBytes);
}

async function takeStackAt(plan: CopyPlan, stackPointer: bigint, sizeBytes: number) {
  const { copier, segments } = plan;
  const { page, index } = stackOf(plan, stackPointer);
  if (index < 0) return;
  const redZone = pageOf(plan, stackPointer - RED_ZONE_BYTES);
  const pages = Math.max(2, Math.ceil(sizeBytes / segments.pageBytes));
  await copier.take(Math.min(page, redZone), Math.min(page + pages, segments.at(index).fileEnd));
}

/** The stacks that signal handlers on this one interrupted. */
async function takeInterrupted(plan: CopyPlan, thread: ThreadRegisters): Promise<void> {
  let next = stackPointerOf(plan, thread);
  for (let count = 0; count < INTERRUPTED_MAX; count++) {
    const start = next & ~15n;
    const stack = plan.copier.read(start, 64 * KIB);
    const isNear = (address: bigint) => address >= start && address < start + BigInt(MIB);
    const found = findInterrupted(stack, plan.isArm, isNear);
    if (found === undefined) return;
    next = found;
    await takeStackAt(plan, next, STACK_BYTES);
  }
}

async function takeRegisters(plan: CopyPlan, { registers }: ThreadRegisters): Promise<void> {
  for (let at = 0; at + 8 <= registers.length; at += 8) {
    const page = pageOf(plan, registers.readBigUInt64LE(at));
    if (plan.segments.find(page) >= 0) await plan.copier.take(page, page + 1);
  }
}

/** The C library's own record of a thread, around its thread pointer, and the variables of its own below. */
async function takeThreadBlock(plan: CopyPlan, thread: ThreadRegisters): Promise<void> {
  const { copier, notes } = plan;
  const pointer = plan.isArm
    ? notes.armThreadPointers.get(thread.tid)
    : registerOf(thread, X86_FS_BASE);
  if (pointer === undefined || pointer === 0n) return;
  const page = pageOf(plan, pointer);
  await copier.take(page - 1, page + 2);
  // The first words: the thread control block points at itself and at the table of thread-local variables.
  const words = copier.read(pointer, 32);
  for (let at = 0; at + 8 <= words.length; at += 8) {
    const target = pageOf(plan, words.readBigUInt64LE(at));
    if (plan.segments.find(target) >= 0) await copier.take(target, target + 1);
  }
}

/** What the words on a stack point at. */
async function takePointed(
  plan: CopyPlan,
  thread: ThreadRegisters,
  scannedBytes: number,
  maxPages: number,
): Promise<void> {
  const { copier, segments } = plan;
  if (maxPages <= 0) return;
  const stack = copier.read(stackPointerOf(plan, thread) & ~7n, scannedBytes);
  const wanted = new Set<number>();
  // In halves of a word: bigints would take most of the time.
  const shift = Math.log2(segments.pageBytes);
  for (let at = 0; at + 8 <= stack.length && wanted.size < maxPages; at += 8) {
    const page =
      stack.readUInt32LE(at + 4) * 2 ** (32 - shift) + (stack.readUInt32LE(at) >>> shift);
    if (page >= 16 && !copier.places.has(page) && segments.find(page) >= 0) wanted.add(page);
  }
  const pages = [...wanted].sort((a, b) => a - b);
  for (let index = 0; index < pages.length;) {
    const first = pages[index] ?? 0;
    let count = 1;
    while (pages[index + count] === first + count) count++;
    await copier.take(first, first + count);
    index += count;
  }
}

async function takeDeepStack(plan: CopyPlan, thread: ThreadRegisters): Promise<void> {
  const { index } = stackOf(plan, stackPointerOf(plan, thread));
  if (index < 0 || plan.copier.isFull) return;
  const { start, fileEnd } = plan.segments.at(index);
  if ((fileEnd - start) * plan.segments.pageBytes > STACK_MAPPING_BYTES) return;
  await takeStack(plan, thread, DEEP_STACK_BYTES);
}

/** Their places in user_regs_struct. */
const [X86_STACK_POINTER, X86_FS_BASE, ARM_STACK_POINTER] = [19, 21, 31];

function stackPointerOf({ isArm }: CopyPlan, thread: ThreadRegisters): bigint {
  return registerOf(thread, isArm ? ARM_STACK_POINTER : X86_STACK_POINTER);
}

function registerOf({ registers }: ThreadRegisters, index: number): bigint {
  return registers.length < index * 8 + 8 ? 0n : registers.readBigUInt64LE(index * 8);
}
