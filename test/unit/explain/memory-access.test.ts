import { expect, test } from "bun:test";
import { accessOf } from "../../../src/explain/memory-access.ts";

/** Encoded by GNU as 2.40. */
test.each([
  ["mov (%rdi),%eax", "8b07", "read"],
  ["mov %rax,(%rdi)", "488907", "write"],
  ["movl $1,(%rdi)", "c70701000000", "write"],
  ["cmpb $0,(%rdi)", "803f00", "read"],
  ["add %eax,(%rdi)", "0107", "write"],
  ["movzbl (%rdi),%eax", "0fb607", "read"],
  ["lock xadd is neither told", "f00fc107", "access"],
  ["rep stos %al,(%rdi)", "f3aa", "write"],
  ["movdqu (%rdi),%xmm0", "f30f6f07", "read"],
  ["vmovdqu %ymm0,(%rdi)", "c5fe7f07", "write"],
  ["vpcmpeqb (%rdi),%ymm0,%ymm1", "c5fd740f", "read"],
  ["nothing to read", "", "access"],
] as const)("x86-64: %s", (_, code, access) => {
  expect(accessOf(Buffer.from(code, "hex"), "x86_64")).toBe(access);
});

test.each([
  ["str w0, [x1]", 0xb9000020, "write"],
  ["ldr w0, [x1]", 0xb9400020, "read"],
  ["ldrsw x0, [x1]", 0xb9800020, "read"],
  ["ldrb w0, [x1]", 0x39400020, "read"],
  ["strb w0, [x1]", 0x39000020, "write"],
  ["str q0, [x1]", 0x3d800020, "write"],
  ["ldr q0, [x1]", 0x3dc00020, "read"],
  ["stp x29, x30, [sp, #-16]!", 0xa9bf7bfd, "write"],
  ["ldp x29, x30, [sp], #16", 0xa8c17bfd, "read"],
  ["stp q0, q1, [x0]", 0xad000400, "write"],
  ["ldr x0, a literal", 0x58000000, "read"],
  ["ldr x0, [x1, x2]", 0xf8626820, "read"],
  ["str x0, [x1, x2]", 0xf8226820, "write"],
  ["add x0, x0, x1", 0x8b010000, "access"],
  ["bl", 0x94000000, "access"],
] as const)("aarch64: %s", (_, word, access) => {
  const code = Buffer.alloc(4);
  code.writeUInt32LE(word);
  expect(accessOf(code, "aarch64")).toBe(access);
});
