// The threads that did not crash, those with the same stack as one.
import type { ReportedCrash, ReportLimits } from "./reported-crash.ts";
import { html, type Html } from "./html.ts";
import { cutText, frameName } from "./text.ts";

/** The section; nothing where there are no other threads. */
export function threadsSection({ summary }: ReportedCrash, limits: ReportLimits): Html {
  const threads = summary?.threads ?? [];
  if (threads.length === 0) return html``;
  const others = threads.reduce((sum, { count }) => sum + count, 0);
  const left = threads.length - limits.threadGroups;
  return html`<section aria-labelledby="threads">
    <h2 id="threads">${others === 1 ? "The other thread" : `The other ${others} threads`}</h2>
    <ul class="threads">
      ${threads.slice(0, limits.threadGroups).map(
        ({ tid, name, count, frames }) =>
          html`<li>
            <span class="who"
              >${count > 1 ? `${count} threads like ${tid}` : `Thread ${tid}`}${
                name !== null && ` (${cutText(name, 64)})`
              }</span
            ><code
              >${
                frames
                  .slice(0, limits.threadFrames)
                  .map((frame) => cutText(frameName(frame), Math.min(80, limits.textCharacters)))
                  .join(" ← ") || "its stack is not known"
              }</code
            >
          </li>`,
      )}
    </ul>
    ${left > 0 && html`<p>And ${left} more stacks, in the summary.</p>`}
  </section>`;
}
