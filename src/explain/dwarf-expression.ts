// Evaluates a DWARF expression as call frame information uses it (DWARF 5, section 2.5): registers, memory,
// arithmetic and branches, bounded in steps and stack.
import { ByteCursor } from "./byte-cursor.ts";
import { EXPRESSION_STACK_MAX, EXPRESSION_STEPS_MAX } from "./limits.ts";
import { Malformed } from "./malformed.ts";
import type { WorkBudget } from "./work-budget.ts";

/** What an expression may read. */
export interface ExpressionContext {
  register(number: number): bigint | undefined;
  /** sizeBytes is 1 to 8. */
  memory(address: bigint, sizeBytes: number): bigint | undefined;
  budget: WorkBudget;
}

/** Returns the value on top at the end; undefined where a register or memory is not known. Throws Malformed. */
export function evaluate(
  expression: Buffer,
  context: ExpressionContext,
  initial?: bigint,
): bigint | undefined {
  const stack = new Stack(initial === undefined ? [] : [initial]);
  const cursor = new ByteCursor(expression);
  try {
    for (let steps = 0; !cursor.atEnd; steps++) {
      if (steps >= EXPRESSION_STEPS_MAX) throw new Malformed("an expression does not end");
      context.budget.spendSteps(1);
      step(cursor.u8(), cursor, stack, context);
    }
    return stack.pop();
  } catch (error) {
    if (error instanceof Unknown) return undefined;
    throw error;
  }
}

/** A register's or memory's value is not known: no fault of the expression. */
class Unknown extends Error {}

class Stack {
  private readonly values: bigint[];

  constructor(values: bigint[]) {
    this.values = values;
  }

  push(value: bigint): void {
    if (this.values.length >= EXPRESSION_STACK_MAX)
      throw new Malformed("an expression's stack overflows");
    this.values.push(BigInt.asUintN(64, value));
  }

  pop(): bigint {
    const value = this.values.pop();
    if (value === undefined) throw new Malformed("an expression's stack is empty");
    return value;
  }

  /** Returns the value that stands `depth` below the top. */
  pick(depth: number): bigint {
    const value = this.values.at(-1 - depth);
    if (value === undefined) throw new Malformed("an expression's stack is empty");
    return value;
  }
}

function step(code: number, cursor: ByteCursor, stack: Stack, context: ExpressionContext): void {
  if (code >= 0x30 && code <= 0x4f) stack.push(BigInt(code - 0x30));
  else if (code >= 0x50 && code <= 0x6f) stack.push(known(context.register(code - 0x50)));
  else if (code >= 0x70 && code <= 0x8f)
    stack.push(known(context.register(code - 0x70)) + cursor.sleb());
  else if (isConstant(code)) stack.push(constant(code, cursor));
  else if (BINARY[code] !== undefined) {
    const right = stack.pop();
    const left = stack.pop();
    stack.push(BINARY[code](left, right));
  } else runOther(code, cursor, stack, context);
}

function isConstant(code: number): boolean {
  return code === 0x03 || (code >= 0x08 && code <= 0x11);
}

/** Runs DW_OP_addr or one of the DW_OP_const family. */
function constant(code: number, cursor: ByteCursor): bigint {
  switch (code) {
    case 0x08:
      return BigInt(cursor.u8());
    case 0x09:
      return BigInt(cursor.i8());
    case 0x0a:
      return BigInt(cursor.u16());
    case 0x0b:
      return BigInt(cursor.i16());
    case 0x0c:
      return BigInt(cursor.u32());
    case 0x0d:
      return BigInt(cursor.i32());
    case 0x0f:
      return cursor.i64();
    case 0x10:
      return cursor.uleb();
    case 0x11:
      return cursor.sleb();
    default:
      return cursor.u64();
  }
}

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
const truth = (value: boolean): bigint => (value ? 1n : 0n);

const BINARY: Readonly<Record<number, (left: bigint, right: bigint) => bigint>> = {
  0x1a: (left, right) => left & right,
  0x1b: (left, right) => (right === 0n ? divisionByZero() : signed(left) / signed(right)),
  0x1c: (left, right) => left - right,
  0x1d: (left, right) => (right === 0n ? divisionByZero() : left % right),
  0x1e: (left, right) => left * right,
  0x21: (left, right) => left | right,
  0x22: (left, right) => left + right,
  // A shift by 2^63 would be a number of as many bits.
  0x24: (left, right) => (right > 63n ? 0n : left << right),
  0x25: (left, right) => (right > 63n ? 0n : left >> right),
  0x26: (left, right) => signed(left) >> (right > 63n ? 63n : right),
  0x27: (left, right) => left ^ right,
  0x29: (left, right) => truth(left === right),
  0x2a: (left, right) => truth(signed(left) >= signed(right)),
  0x2b: (left, right) => truth(signed(left) > signed(right)),
  0x2c: (left, right) => truth(signed(left) <= signed(right)),
  0x2d: (left, right) => truth(signed(left) < signed(right)),
  0x2e: (left, right) => truth(left !== right),
};

function runOther(
  code: number,
  cursor: ByteCursor,
  stack: Stack,
  context: ExpressionContext,
): void {
  switch (code) {
    case 0x06:
      stack.push(known(context.memory(stack.pop(), 8)));
      return;
    case 0x12:
      stack.push(stack.pick(0));
      return;
    case 0x13:
      stack.pop();
      return;
    case 0x14:
      stack.push(stack.pick(1));
      return;
    case 0x15:
      stack.push(stack.pick(cursor.u8()));
      return;
    case 0x16:
      swap(stack);
      return;
    case 0x17:
      rotate(stack);
      return;
    case 0x19: {
      const value = signed(stack.pop());
      stack.push(value < 0n ? -value : value);
      return;
    }
    case 0x1f:
      stack.push(-stack.pop());
      return;
    case 0x20:
      stack.push(~stack.pop());
      return;
    case 0x23:
      stack.push(stack.pop() + cursor.uleb());
      return;
    case 0x28: {
      const distance = cursor.i16();
      if (stack.pop() !== 0n) jump(cursor, distance);
      return;
    }
    case 0x2f:
      jump(cursor, cursor.i16());
      return;
    case 0x90:
      stack.push(known(context.register(cursor.count())));
      return;
    case 0x92:
      stack.push(known(context.register(cursor.count())) + cursor.sleb());
      return;
    case 0x94: {
      const sizeBytes = cursor.u8();
      if (sizeBytes < 1 || sizeBytes > 8) throw new Malformed("an expression reads a strange size");
      stack.push(known(context.memory(stack.pop(), sizeBytes)));
      return;
    }
    case 0x96:
      return;
    default:
      throw new Malformed(`an expression has an unknown operation 0x${code.toString(16)}`);
  }
}

function swap(stack: Stack): void {
  const [first, second] = [stack.pop(), stack.pop()];
  stack.push(first);
  stack.push(second);
}

function rotate(stack: Stack): void {
  const [first, second, third] = [stack.pop(), stack.pop(), stack.pop()];
  stack.push(first);
  stack.push(third);
  stack.push(second);
}

function jump(cursor: ByteCursor, distance: number): void {
  const target = cursor.at + distance;
  if (target < 0 || target > cursor.bytes.length)
    throw new Malformed("an expression jumps out of itself");
  cursor.at = target;
}

function known(value: bigint | undefined): bigint {
  if (value === undefined) throw new Unknown();
  return value;
}

function divisionByZero(): never {
  throw new Malformed("an expression divides by zero");
}
