// What a core alone tells: signals, stacks without any module, and what hostile ones may not do.
import { expect, test } from "bun:test";
import { explainCore } from "../../../src/explain/explain.ts";
import { FRAMES_MAX, THREADS_MAX } from "../../../src/explain/limits.ts";
import type { Machine } from "../../../src/explain/elf-header.ts";
import { bytesOf } from "../../../src/model/random-bytes.ts";
import { NO_MODULE_FILES } from "../../../src/model/module-files.ts";
import { AppError } from "../../../src/model/app-error.ts";
import {
  ARM,
  EXECUTE,
  READ,
  syntheticCore,
  words,
  WRITE,
  X86,
  type SyntheticCore,
} from "../../support/synthetic-core.ts";

const [CODE, STACK] = [0x40_0000n, 0x7ff0_0000_0000n];
const EXECUTABLE = READ | EXECUTE;

const explain = (shape: SyntheticCore) =>
  explainCore({ core: bytesOf(syntheticCore(shape)), modules: NO_MODULE_FILES });

/** A thread of x86-64 in the middle of the code, with these words on its stack. */
function crashed(
  stack: readonly bigint[],
  changes: Partial<SyntheticCore> = {},
  registers = {},
): SyntheticCore {
  return {
    threads: [{ tid: 7, registers: { [X86.rip]: CODE + 0x10n, [X86.rsp]: STACK, ...registers } }],
    signal: [11, 1, 0x10n],
    memory: [
      { address: CODE, bytes: Buffer.alloc(0x1000, 0xe8), flags: EXECUTABLE },
      { address: STACK, bytes: words([...stack, ...Array<bigint>(64).fill(0n)]) },
    ],
    ...changes,
  };
}

const addresses = (shape: SyntheticCore) =>
  explain(shape).crashing_thread?.frames.map(({ address, trust }) => `${address} ${trust}`);

test("what is no core is refused", () => {
  const refused = (bytes: Buffer) => () =>
    explainCore({ core: bytesOf(bytes), modules: NO_MODULE_FILES });
  expect(refused(Buffer.alloc(0))).toThrow(AppError);
  expect(refused(Buffer.from("not a core at all"))).toThrow("no ELF file");
  expect(refused(syntheticCore({}).fill(2, 16, 17))).toThrow("no core");
  expect(refused(syntheticCore({}).fill(9, 18, 19))).toThrow("machine 9");
});

test("a core without threads says so, and has a fingerprint of its own", () => {
  const summary = explain({});
  expect(summary.crashing_thread).toBeNull();
  expect(summary.incomplete).toContainEqual({
    what: "threads",
    why: "the core has no thread's registers",
  });
  expect(summary.fingerprint.bug).toMatch(/^[0-9a-f]{16}$/);
});

test.each([
  [[11, 1, 0x10n], "unmapped address 0x10: close to null"],
  [[11, 1, 0xdead_beefn], "unmapped address 0xdeadbeef"],
  [[11, 128, 0n], "an address that cannot exist"],
  [[11, 2, CODE], "protected against it"],
  [[7, 2, 0x1000n], "no memory behind it"],
  [[8, 1, CODE], "division by zero"],
  [[6, -6, 7n], "killed by abort()"],
  [[3, 0, (1000n << 32n) | 99n], "sent by process 99, user 1000"],
  [[3, 0, 0n], "sent from outside the container"],
  [[31, 1, 0n], "seccomp"],
] as const)("signal %p: %s", (signal, sentence) => {
  expect(explain(crashed([], { signal: [...signal] })).signal?.sentence).toContain(sentence);
});

test("an access is told from a call, reading from writing", () => {
  const withCode = (hex: string) => {
    const code = Buffer.alloc(0x1000, 0x90);
    code.write(hex, 0x10, "hex");
    const memory = [{ address: CODE, bytes: code, flags: EXECUTABLE }];
    return explain(crashed([], { memory })).signal?.sentence;
  };
  expect(withCode("8b07")).toStartWith("read of"); // mov (%rdi),%eax
  expect(withCode("488907")).toStartWith("write of"); // mov %rax,(%rdi)
  expect(withCode("0f1107")).toStartWith("write of"); // movups %xmm0,(%rdi)
  expect(withCode("8307ff")).toStartWith("write of"); // addl $-1,(%rdi)
  expect(withCode("833fff")).toStartWith("read of"); // cmpl $-1,(%rdi)
  const call = explain(crashed([], { signal: [11, 1, 8n] }, { [X86.rip]: 8n }));
  expect(call.signal?.sentence).toBe("call of 0x8: a null function pointer");
});

test("a fault just below the stack is a stack overflow, one far from it is not", () => {
  const overflow = (address: bigint) => explain(crashed([], { signal: [11, 1, address] })).title;
  expect(overflow(STACK - 8n)).toContain("stack overflow");
  expect(overflow(STACK - 0x20_0000n)).not.toContain("stack overflow");
});

test("where the core does not say what the address was, the stack pointer shows the overflow", () => {
  const stack = Array<bigint>(256).fill(0n);
  const titleAt = (rsp: bigint) =>
    explain(crashed(stack, { signal: [11] }, { [X86.rsp]: rsp })).title;
  expect(titleAt(STACK - 64n)).toContain("stack overflow");
  expect(titleAt(STACK)).toContain("stack overflow");
  expect(titleAt(STACK + 0x400n)).not.toContain("stack overflow");
});

test("a program that stops itself has one bug id, whichever signal its processor has for that", () => {
  const stopped = (signal: number, hex: string, machine: Machine) => {
    const code = Buffer.alloc(0x1000);
    code.write(hex, hex === "cc" ? 0xf : 0x10, "hex");
    const registers: Record<number, bigint> =
      machine === "aarch64"
        ? { [ARM.pc]: CODE + 0x10n, [ARM.sp]: STACK }
        : { [X86.rip]: CODE + 0x10n, [X86.rsp]: STACK };
    const memory = [
      { address: CODE, bytes: code, flags: EXECUTABLE },
      { address: STACK, bytes: words(Array<bigint>(64).fill(0n)) },
    ];
    const files = [{ start: CODE, end: CODE + 0x1000n, page: 0n, path: "/app" }];
    const threads = [{ tid: 7, registers }];
    const signalInfo = [signal, 1, CODE + 0x10n] as const;
    return explain({ machine, threads, signal: signalInfo, memory, files });
  };
  const summaries = [
    stopped(4, "0f0b", "x86_64"), // ud2
    stopped(5, "cc", "x86_64"), // int3
    stopped(5, "007d20d4", "aarch64"), // brk #1000
    stopped(5, "200020d4", "aarch64"), // brk #1
    stopped(4, "00000000", "aarch64"), // udf #0
  ];
  for (const { signal } of summaries)
    expect(signal?.sentence).toStartWith("the program stopped itself");
  expect(new Set(summaries.map(({ fingerprint }) => fingerprint.bug)).size).toBe(1);
  const step = stopped(5, "90", "x86_64");
  expect(step.signal?.sentence).toContain("a breakpoint");
  expect(step.fingerprint.bug).not.toBe(summaries[0]?.fingerprint.bug);
});

test("a frame pointer's chain is followed outwards only, and only into code", () => {
  const rbp = { [X86.rbp]: STACK + 16n };
  const chain = [0n, 0n, STACK + 32n, CODE + 0x20n, STACK + 48n, CODE + 0x30n, 0n, 0n];
  expect(addresses(crashed(chain, {}, rbp))).toEqual([
    "0x400010 context",
    "0x400020 frame_pointer",
    "0x400030 frame_pointer",
  ]);
  const cyclic = [0n, 0n, STACK + 16n, CODE + 0x20n];
  expect(addresses(crashed(cyclic, {}, rbp))?.length).toBe(2);
});

test("after the call of a null pointer the caller is found", () => {
  expect(addresses(crashed([CODE + 0x40n], {}, { [X86.rip]: 0n }))?.slice(0, 2)).toEqual([
    "0x0 context",
    "0x400040 cfi",
  ]);
});

test("a stack that leads on for ever is cut, and so are many threads", () => {
  const stack = Array.from({ length: 1000 }, (_, index) =>
    index % 2 === 0 ? STACK + BigInt(index + 2) * 8n : CODE + 0x20n,
  );
  const thread = { registers: { [X86.rip]: CODE + 0x10n, [X86.rsp]: STACK, [X86.rbp]: STACK } };
  const threads = Array.from({ length: 5000 }, (_, index) => ({ ...thread, tid: index + 1 }));
  const summary = explain(crashed(stack, { threads }));
  expect(summary.crashing_thread?.frames).toHaveLength(FRAMES_MAX);
  expect(summary.crashing_thread?.cut).toBe(true);
  expect(summary.process.threads).toBe(5000);
  expect(summary.threads.reduce((sum, { count }) => sum + count, 0)).toBe(THREADS_MAX - 1);
  expect(summary.incomplete).toContainEqual({
    what: "threads",
    why: `${5000 - THREADS_MAX} threads are only counted`,
  });
});

test("sizes and counts beyond all bounds end at once", () => {
  const many = syntheticCore(crashed([]));
  many.writeUInt16LE(0xffff, 56);
  many.writeBigUInt64LE(0n, 40);
  expect(() => explainCore({ core: bytesOf(many), modules: NO_MODULE_FILES })).not.toThrow();
  const xnum = Buffer.concat([syntheticCore(crashed([])), Buffer.alloc(64)]);
  xnum.writeUInt16LE(0xffff, 56);
  xnum.writeBigUInt64LE(BigInt(xnum.length - 64), 40);
  xnum.writeUInt32LE(1_000_000_000, xnum.length - 64 + 44);
  const summary = explainCore({ core: bytesOf(xnum), modules: NO_MODULE_FILES });
  expect(summary.incomplete.map(({ what }) => what)).toContain("memory");
  const files = [{ start: CODE, end: CODE + 1n, page: 2n ** 63n, path: "x".repeat(100_000) }];
  expect(explain(crashed([], { files })).modules).toEqual([]);
});

test("aarch64: a signal handler's return, a signed return address, a leaf without a frame", () => {
  const trampoline = Buffer.alloc(0x1000);
  trampoline.write("681180d2010000d4", 0x100, "hex"); // mov x8, #139; svc 0
  trampoline.writeUInt32LE(0x9400_0000, 0x200 - 4); // bl
  const [SP, FRAME] = [STACK, STACK + 0x10n];
  // At SP + 16: the handler's frame record, whose return address is the trampoline; there the signal frame begins.
  const signalFrame = Buffer.alloc(128 + 176 + 8 + 33 * 8);
  signalFrame.writeInt32LE(11, 0);
  const contextAt = 128 + 176 + 8;
  signalFrame.writeBigUInt64LE(STACK + 0x800n, contextAt + 31 * 8);
  signalFrame.writeBigUInt64LE(STACK + 0x810n, contextAt + 29 * 8);
  signalFrame.writeBigUInt64LE(CODE + 0x80n, contextAt + 32 * 8);
  const stack = Buffer.alloc(0x1000);
  words([0n, 0n, 0n, CODE + 0x100n]).copy(stack);
  signalFrame.copy(stack, 0x20);
  const mask = 0x007f_0000_0000_0000n;
  words([0n, (CODE + 0x200n) | 0x0055_0000_0000_0000n]).copy(stack, 0x810);
  trampoline.writeUInt32LE(0x9400_0000, 0x100 - 4);
  expect(
    addresses({
      machine: "aarch64",
      threads: [
        {
          tid: 7,
          registers: { [ARM.pc]: CODE + 0x10n, [ARM.sp]: SP, [ARM.x29]: FRAME, [ARM.x30]: 0n },
        },
      ],
      signal: [6, -6, 7n],
      memory: [
        { address: CODE, bytes: trampoline, flags: EXECUTABLE },
        { address: STACK, bytes: stack, flags: READ | WRITE },
      ],
      codeMask: mask,
    }),
  ).toEqual([
    "0x400010 context",
    "0x400100 frame_pointer",
    "0x400080 cfi",
    "0x400200 frame_pointer",
  ]);
});
