// The zip's JSON files, within the budget of all entries: one that is too long keeps what is whole of its beginning, is
// valid JSON, and is listed as cut.
import { closeJson } from "../../model/json-prefix.ts";
import { formatJson, type JsonObject } from "../../model/json.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { DumpEntry } from "../../model/dump-entries.ts";
import type { Steps } from "./steps.ts";

/** More than this in one piece is given back at once: what becomes of it in between is several times as large. */
const LONG_BYTES = 64 * 2 ** 10;

export class JsonEntries {
  readonly #budget: ByteBudget;
  readonly #steps: Pick<Steps, "record">;

  constructor(budget: ByteBudget, steps: Pick<Steps, "record">) {
    this.#budget = budget;
    this.#steps = steps;
  }

  /** The entry of at most maxBytes bytes, or of what is left for all; `{}` fits always. */
  entry(suffix: string, value: JsonObject, maxBytes: number): DumpEntry {
    const whole = formatJson(value);
    const allowed = this.#budget.allow(maxBytes);
    const data = whole.length <= allowed ? whole : firstPart(whole, allowed);
    if (data !== whole)
      this.#steps.record(suffix.slice(1), `${data.length} of ${whole.length} bytes of it`);
    this.#budget.spend(data.length);
    if (whole.length > LONG_BYTES) Bun.gc(true);
    return { suffix, data };
  }
}

/** What is whole in the first bytes, closed. */
function firstPart(json: Uint8Array, maxBytes: number): Uint8Array {
  // Closing brackets take room too, a few only.
  for (let size = maxBytes - 64; size > 0; size = Math.floor(size / 2)) {
    const text = closeJson(new TextDecoder().decode(json.subarray(0, size)));
    const data = new TextEncoder().encode(`${text}\n`);
    if (data.length <= maxBytes) return data;
  }
  return formatJson({});
}
