// Makes the zip's JSON files within the budget of all entries. One that is too long keeps the whole members of its
// beginning, stays valid JSON, and is recorded as cut.
import { closeJson } from "../../model/json-prefix.ts";
import { formatJson, type JsonObject } from "../../model/json.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { DumpEntry } from "../../model/dump-entries.ts";
import type { Steps } from "./steps.ts";

/** A longer text is freed at once after use, because its intermediate forms are several times as large. */
const LONG_BYTES = 64 * 2 ** 10;

/** Makes the JSON entries of one dump. */
export class JsonEntries {
  private readonly budget: ByteBudget;
  private readonly steps: Pick<Steps, "record">;

  constructor(budget: ByteBudget, steps: Pick<Steps, "record">) {
    this.budget = budget;
    this.steps = steps;
  }

  /** Makes an entry of at most maxBytes, or of what the budget still has; `{}` always fits. */
  entry(suffix: string, value: JsonObject, maxBytes: number): DumpEntry {
    const whole = formatJson(value);
    const allowed = this.budget.allow(maxBytes);
    const data = whole.length <= allowed ? whole : firstPart(whole, allowed);
    if (data !== whole)
      this.steps.record(suffix.slice(1), `${data.length} of ${whole.length} bytes of it`);
    this.budget.spend(data.length);
    if (whole.length > LONG_BYTES) Bun.gc(true);
    return { suffix, data };
  }
}

/** Returns the whole members in the first bytes, as valid JSON. */
function firstPart(json: Uint8Array, maxBytes: number): Uint8Array {
  // Leaves room for a few closing brackets.
  for (let size = maxBytes - 64; size > 0; size = Math.floor(size / 2)) {
    const text = closeJson(new TextDecoder().decode(json.subarray(0, size)));
    const data = new TextEncoder().encode(`${text}\n`);
    if (data.length <= maxBytes) return data;
  }
  return formatJson({});
}
