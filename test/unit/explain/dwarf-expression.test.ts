import { expect, test } from "bun:test";
import { evaluate, type ExpressionContext } from "../../../src/explain/dwarf-expression.ts";
import { Malformed } from "../../../src/explain/malformed.ts";
import { WorkBudget } from "../../../src/explain/work-budget.ts";

function context(): ExpressionContext {
  return {
    budget: new WorkBudget(),
    register: (number) => (number === 7 ? 0x7000n : undefined),
    memory: (address, sizeBytes) => (address === 0x7010n ? BigInt(sizeBytes) * 0x11n : undefined),
  };
}

const run = (hex: string, initial?: bigint) =>
  evaluate(Buffer.from(hex, "hex"), context(), initial);

test("registers, memory and arithmetic", () => {
  expect(run("7710")).toBe(0x7010n); // breg7 16
  expect(run("771006")).toBe(0x88n); // … deref
  expect(run("77109401")).toBe(0x11n); // … deref_size 1
  expect(run("080a3222")).toBe(12n); // const1u 10, lit2, plus
  expect(run("31321c")).toBe(2n ** 64n - 1n); // lit1, lit2, minus
  expect(run("2308", 8n)).toBe(16n); // plus_uconst 8 on what is there
});

test("the expression of glibc's PLT, as in .eh_frame", () => {
  // breg7 8; breg16 0; lit15; and; lit11; ge; lit3; shl; plus
  const expression = Buffer.from("770880003f1a3b2a332422", "hex");
  const inside = {
    ...context(),
    register: (number: number) => (number === 16 ? 0x401_01bn : 0x7000n),
  };
  expect(evaluate(expression, inside)).toBe(0x7010n);
});

test("what is not known gives undefined", () => {
  expect(run("700006")).toBeUndefined(); // register 0
  expect(run("3006")).toBeUndefined(); // memory at 0
});

test("an expression that jumps back for ever, grows for ever or shifts without end ends", () => {
  expect(() => run("2ffdff")).toThrow("does not end");
  expect(() => run("30" + "12".repeat(100))).toThrow("overflows");
  expect(run("310effffffffffffff7f24")).toBe(0n); // lit1 << 2^63
  expect(() => run("2fff7f")).toThrow("jumps out");
  expect(() => run("1a")).toThrow(Malformed);
  expect(() => run("30301b")).toThrow("divides by zero");
  expect(() => run("ff")).toThrow("unknown operation");
});
