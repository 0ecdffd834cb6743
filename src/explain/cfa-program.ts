// Runs the call frame instructions of a function up to one address, which tells where its caller's frame begins and
// where each register was saved (DWARF 5, section 6.4.2).
import type { ByteCursor } from "./byte-cursor.ts";
import type { FrameDescription } from "./eh-frame.ts";
import { CFA_INSTRUCTIONS_MAX, CFA_STATES_MAX } from "./limits.ts";
import { Malformed } from "./malformed.ts";
import type { WorkBudget } from "./work-budget.ts";

export type RegisterRule =
  | { kind: "undefined" }
  | { kind: "same" }
  /** Saved at CFA + value. */
  | { kind: "offset"; value: bigint }
  /** Is CFA + value. */
  | { kind: "value_offset"; value: bigint }
  | { kind: "register"; register: number }
  /** Saved at the address that the expression gives. */
  | { kind: "expression"; expression: Buffer }
  | { kind: "value_expression"; expression: Buffer };

export type CfaRule =
  | { kind: "register"; register: number; offset: bigint }
  | { kind: "expression"; expression: Buffer };

/** How to find the caller's frame and registers at one address. */
export interface FrameRow {
  cfa: CfaRule | undefined;
  rules: Map<number, RegisterRule>;
}

/** Returns the row for an address as linked. Throws Malformed. */
export function runCfaProgram(
  description: FrameDescription,
  address: bigint,
  budget: WorkBudget,
): FrameRow {
  const program = new CfaProgram(description, address, budget);
  program.run(description.initial);
  program.keepInitial();
  program.run(description.instructions);
  return program.row;
}

class CfaProgram {
  row: FrameRow = { cfa: undefined, rules: new Map() };
  private initial = new Map<number, RegisterRule>();
  private readonly states: FrameRow[] = [];
  private readonly description: FrameDescription;
  private readonly wanted: bigint;
  private readonly budget: WorkBudget;
  private location: bigint;
  private steps = 0;

  constructor(description: FrameDescription, wanted: bigint, budget: WorkBudget) {
    this.budget = budget;
    this.description = description;
    this.wanted = wanted;
    this.location = description.start;
  }

  keepInitial(): void {
    this.initial = new Map(this.row.rules);
  }

  /** Runs until the program's end, or the row after the wanted one. */
  run(cursor: ByteCursor): void {
    cursor.at = 0;
    while (!cursor.atEnd) {
      if (++this.steps > CFA_INSTRUCTIONS_MAX)
        throw new Malformed("a frame description has too many instructions");
      this.budget.spendSteps(1);
      const code = cursor.u8();
      const isPast =
        (code & 0xc0) === 0 ? this.runExtended(code, cursor) : this.runShort(code, cursor);
      if (isPast) return;
    }
  }

  /** Runs one of the three instructions that have an operand in their own byte. */
  private runShort(code: number, cursor: ByteCursor): boolean {
    const operand = code & 0x3f;
    switch (code & 0xc0) {
      case 0x40:
        return this.advance(BigInt(operand));
      case 0x80:
        this.saveAt(operand, cursor.uleb());
        return false;
      default:
        this.restore(operand);
        return false;
    }
  }

  private runExtended(code: number, cursor: ByteCursor): boolean {
    const { dataAlignment, pointerEncoding } = this.description;
    switch (code) {
      case 0x00:
      case 0x2d: // DW_CFA_AARCH64_negate_ra_state: the signature is taken off by its mask, whatever the state
        return false;
      case 0x01:
        this.location = cursor.pointer(pointerEncoding, 0n);
        return this.location > this.wanted;
      case 0x02:
        return this.advance(BigInt(cursor.u8()));
      case 0x03:
        return this.advance(BigInt(cursor.u16()));
      case 0x04:
        return this.advance(BigInt(cursor.u32()));
      case 0x05:
        this.saveAt(cursor.count(), cursor.uleb());
        return false;
      case 0x06:
        this.restore(cursor.count());
        return false;
      case 0x07:
        this.row.rules.set(cursor.count(), { kind: "undefined" });
        return false;
      case 0x08:
        this.row.rules.set(cursor.count(), { kind: "same" });
        return false;
      case 0x09:
        this.row.rules.set(cursor.count(), { kind: "register", register: cursor.count() });
        return false;
      case 0x0a:
        this.remember();
        return false;
      case 0x0b:
        this.row = this.states.pop() ?? this.row;
        return false;
      case 0x0c:
        this.setCfa(cursor.count(), cursor.uleb());
        return false;
      case 0x0d:
        this.setCfa(cursor.count(), this.cfaOffset());
        return false;
      case 0x0e:
        this.setCfa(this.cfaRegister(), cursor.uleb());
        return false;
      case 0x0f:
        this.row.cfa = { kind: "expression", expression: cursor.slice(cursor.count()) };
        return false;
      case 0x10:
      case 0x16:
        this.row.rules.set(cursor.count(), {
          kind: code === 0x10 ? "expression" : "value_expression",
          expression: cursor.slice(cursor.count()),
        });
        return false;
      case 0x11:
        this.saveAt(cursor.count(), cursor.sleb());
        return false;
      case 0x12:
        this.setCfa(cursor.count(), cursor.sleb() * dataAlignment);
        return false;
      case 0x13:
        this.setCfa(this.cfaRegister(), cursor.sleb() * dataAlignment);
        return false;
      case 0x14:
      case 0x15: {
        const register = cursor.count();
        const value = (code === 0x14 ? cursor.uleb() : cursor.sleb()) * dataAlignment;
        this.row.rules.set(register, { kind: "value_offset", value });
        return false;
      }
      case 0x2e: // DW_CFA_GNU_args_size
        cursor.uleb();
        return false;
      case 0x2f: // DW_CFA_GNU_negative_offset_extended
        this.saveAt(cursor.count(), -cursor.uleb());
        return false;
      default:
        throw new Malformed(
          `a frame description has an unknown instruction 0x${code.toString(16)}`,
        );
    }
  }

  /** Returns whether the row that was built is the wanted one. */
  private advance(delta: bigint): boolean {
    this.location += delta * this.description.codeAlignment;
    return this.location > this.wanted;
  }

  private saveAt(register: number, factored: bigint): void {
    const value = factored * this.description.dataAlignment;
    this.row.rules.set(register, { kind: "offset", value });
  }

  private restore(register: number): void {
    const rule = this.initial.get(register);
    if (rule === undefined) this.row.rules.delete(register);
    else this.row.rules.set(register, rule);
  }

  private remember(): void {
    if (this.states.length >= CFA_STATES_MAX)
      throw new Malformed("a frame description remembers too many states");
    this.states.push({ cfa: this.row.cfa, rules: new Map(this.row.rules) });
  }

  private setCfa(register: number, offset: bigint): void {
    this.row.cfa = { kind: "register", register, offset };
  }

  private cfaRegister(): number {
    const { cfa } = this.row;
    if (cfa?.kind !== "register")
      throw new Malformed("a frame description changes no register's CFA");
    return cfa.register;
  }

  private cfaOffset(): bigint {
    return this.row.cfa?.kind === "register" ? this.row.cfa.offset : 0n;
  }
}
