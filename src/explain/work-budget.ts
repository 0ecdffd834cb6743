// Bounds how much is done for one core in all. Every single table has its own bound (limits.ts); a core made to cost
// time has many, each just below its bound.
import { Malformed } from "./malformed.ts";

/** Instructions of call frame information and expressions, table entries, jumps; a real core takes 100,000. */
const STEPS_MAX = 3_000_000;
/** Symbol tables that are passed over: Chromium's is 20 MB. */
const SYMBOL_BYTES_MAX = 256 << 20;

/** Counts steps, and throws where they exceed the budget. */
export class WorkBudget {
  private steps = STEPS_MAX;
  private symbolBytes = SYMBOL_BYTES_MAX;

  /** Throws Malformed once there is nothing left. */
  spendSteps(count: number): void {
    this.steps -= count;
    if (this.steps < 0) throw new Malformed("looking at it takes too long");
  }

  /** Throws Malformed once there is nothing left. */
  spendSymbolBytes(count: number): void {
    this.symbolBytes -= count;
    if (this.symbolBytes < 0) throw new Malformed("its symbol tables are too long");
  }
}
