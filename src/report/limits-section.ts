// What a report cannot say: pieces that are missing, and why.
import type { ReportedCrash, ReportLimits } from "./reported-crash.ts";
import { describeOmitted } from "../model/core-content.ts";
import { html, type Html } from "./html.ts";
import { cutText } from "./text.ts";

/** The section; nothing where everything is known. */
export function limitsSection({ info, summary }: ReportedCrash, limits: ReportLimits): Html {
  const cut =
    info.core_complete === false
      ? [{ what: "core", why: "it is cut short: memory beyond the cut is missing" }]
      : [];
  const omitted = describeOmitted(info);
  const all = [
    ...cut,
    ...(omitted === "" ? [] : [{ what: "core", why: `as it was wanted, it has ${omitted}` }]),
    ...(info.missing ?? []),
    ...(summary?.incomplete ?? []),
    ...(info.settings_ignored ?? []).map((why) => ({ what: "setting", why })),
  ];
  if (all.length === 0)
    return html`<section aria-labelledby="limits">
      <h2 id="limits">What is missing</h2>
      <p>Nothing: the core is whole, and every piece of the dump is there.</p>
    </section>`;
  const left = all.length - limits.items;
  return html`<section aria-labelledby="limits">
    <h2 id="limits">What is missing</h2>
    <ul>
      ${all
        .slice(0, limits.items)
        .map(
          ({ what, why }) =>
            html`<li>
              <strong>${cutText(what, 80)}</strong>: ${cutText(why, limits.textCharacters)}
            </li>`,
        )}
    </ul>
    ${left > 0 && html`<p>And ${left} more, in dump-info and the summary.</p>`}
  </section>`;
}
