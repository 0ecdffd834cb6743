// Steps one frame outwards by call frame information, the exact way, where a module has it.
import { runCfaProgram, type CfaRule, type FrameRow, type RegisterRule } from "./cfa-program.ts";
import { evaluate, type ExpressionContext } from "./dwarf-expression.ts";
import { orUndefined } from "./malformed.ts";
import { lookupAddress, type FrameState, type UnwindContext } from "./unwind-context.ts";
import type { Registers } from "./architecture.ts";

export type CfiStep =
  | { kind: "caller"; state: FrameState; isSignalFrame: boolean }
  /** The outermost frame: its call frame information marks the return address as undefined. */
  | { kind: "outermost" }
  /** There is a description, but it does not lead to a caller. */
  | { kind: "broken" }
  | { kind: "none" };

/** Steps one frame outwards by call frame information; "none" where the module has none for the address. */
export function stepByCfi(state: FrameState, context: UnwindContext): CfiStep {
  const address = lookupAddress(state);
  const module = context.modules.at(address);
  const frames = module === undefined ? undefined : context.framesOf(module);
  if (module === undefined || frames === undefined) return { kind: "none" };
  const linked = BigInt.asUintN(64, address - module.bias);
  const description = orUndefined(() => frames.find(linked));
  if (description === undefined) return { kind: "none" };
  const { returnAddress, isSignalFrame } = description;
  const caller = orUndefined(() =>
    applyRow(runCfaProgram(description, linked, context.budget), returnAddress, state, context),
  );
  if (caller === "outermost") return { kind: "outermost" };
  if (caller === undefined) return { kind: "broken" };
  return { kind: "caller", state: { ...caller, isExact: isSignalFrame }, isSignalFrame };
}

/** Throws Malformed. */
function applyRow(
  row: FrameRow,
  returnAddress: number,
  state: FrameState,
  context: UnwindContext,
): Omit<FrameState, "isExact"> | "outermost" | undefined {
  if (row.rules.get(returnAddress)?.kind === "undefined") return "outermost";
  const { stackPointer } = context.architecture;
  const inside: ExpressionContext = {
    budget: context.budget,
    register: (number) => state.registers[number],
    memory: (address, sizeBytes) => readSmall(context, address, sizeBytes),
  };
  const cfa = row.cfa === undefined ? undefined : cfaOf(row.cfa, inside);
  if (cfa === undefined) return undefined;
  const registers: Registers = state.registers.slice(0, context.architecture.names.length);
  registers[stackPointer] = cfa;
  for (const [register, rule] of row.rules) {
    if (register >= context.architecture.names.length) continue;
    registers[register] = valueOf(rule, register, cfa, inside);
  }
  const found = registers[returnAddress];
  if (found === undefined) return undefined;
  const programCounter = context.codeAddress(found);
  return { registers, programCounter };
}

function cfaOf(rule: CfaRule, inside: ExpressionContext): bigint | undefined {
  if (rule.kind === "expression") return evaluate(rule.expression, inside);
  const base = inside.register(rule.register);
  return base === undefined ? undefined : BigInt.asUintN(64, base + rule.offset);
}

function valueOf(
  rule: RegisterRule,
  register: number,
  cfa: bigint,
  inside: ExpressionContext,
): bigint | undefined {
  switch (rule.kind) {
    case "undefined":
      return undefined;
    case "same":
      return inside.register(register);
    case "offset":
      return inside.memory(BigInt.asUintN(64, cfa + rule.value), 8);
    case "value_offset":
      return BigInt.asUintN(64, cfa + rule.value);
    case "register":
      return inside.register(rule.register);
    case "expression": {
      const address = evaluate(rule.expression, inside, cfa);
      return address === undefined ? undefined : inside.memory(address, 8);
    }
    case "value_expression":
      return evaluate(rule.expression, inside, cfa);
  }
}

function readSmall(context: UnwindContext, address: bigint, sizeBytes: number): bigint | undefined {
  const bytes = context.memory.read(address, sizeBytes);
  if (bytes.length < sizeBytes) return undefined;
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
