// The crashing thread's registers.
import type { ReportedCrash, ReportLimits } from "./reported-crash.ts";
import { html, type Html } from "./html.ts";
import { cutText } from "./text.ts";

const REGISTERS_MAX = 40;

/** The section; nothing where no register is known. */
export function registersSection({ summary }: ReportedCrash, { items }: ReportLimits): Html {
  const registers = Object.entries(summary?.crashing_thread?.registers ?? {});
  if (registers.length === 0) return html``;
  return html`<section aria-labelledby="registers">
    <h2 id="registers">Registers</h2>
    <dl class="registers">
      ${registers.slice(0, Math.max(REGISTERS_MAX, items)).map(
        ([name, value]) =>
          html`<div>
            <dt>${cutText(name, 16)}</dt>
            <dd>${cutText(value, 24)}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}
