// The crashing thread's stack: functions, modules, and how sure each frame is.
import type { SummaryFrame } from "../model/crash-summary.ts";
import type { ReportedCrash, ReportLimits } from "./reported-crash.ts";
import { html, type Html } from "./html.ts";
import { cutText, fileOf, frameName, surenessOf, type Sureness } from "./text.ts";

const MARKS: Readonly<Record<Sureness, string>> = { certain: "●", likely: "◐", guessed: "○" };

/** The stack, or why there is none. */
export function stackSection({ summary, info }: ReportedCrash, limits: ReportLimits): Html {
  const thread = summary?.crashing_thread ?? null;
  if (thread === null) {
    const why = info.missing?.find(({ what }) => what === "summary")?.why;
    return html`<section aria-labelledby="stack">
      <h2 id="stack">Stack</h2>
      <p>
        Nobody explained this crash on the
        node${why !== undefined && html`: ${cutText(why, limits.textCharacters)}`}. The core tells
        more: the last section has the commands.
      </p>
    </section>`;
  }
  const rows = repeatedOnce(thread.frames);
  const left = rows.length - limits.frames;
  const name = thread.name === null ? "" : ` (${cutText(thread.name, 64)})`;
  return html`<section aria-labelledby="stack">
    <h2 id="stack">Stack of thread ${thread.tid}${name}</h2>
    <ol class="stack">
      ${rows.slice(0, limits.frames).map((row) => frameItem(row, limits))}
    </ol>
    ${left > 0 && html`<p>And ${left} more: <code>core-dump-handler explain</code> shows them.</p>`}
    ${thread.cut && left <= 0 && html`<p>The stack goes on; the explainer stopped here.</p>`}
    ${legend(rows)}
  </section>`;
}

interface Row {
  frame: SummaryFrame;
  index: number;
  count: number;
}

/** Makes one row of repeated frames, as recursion has them. */
function repeatedOnce(frames: readonly SummaryFrame[]): Row[] {
  const rows: Row[] = [];
  for (const [index, frame] of frames.entries()) {
    const last = rows.at(-1);
    if (last !== undefined && last.frame.address === frame.address) last.count++;
    else rows.push({ frame, index, count: 1 });
  }
  return rows;
}

function frameItem({ frame, index, count }: Row, { textCharacters }: ReportLimits): Html {
  if (frame.signal !== null)
    return html`<li class="handled">
      <span class="number">${index}</span
      ><span class="name">${cutText(frame.signal, 32)} was handled here</span>
    </li>`;
  const sureness = surenessOf(frame.trust);
  const offset =
    frame.function === null || frame.function_offset === null ? "" : `+${frame.function_offset}`;
  const { module } = frame;
  return html`<li class="${sureness}">
    <span class="number">${index}</span
    ><span class="name"
      >${cutText(frameName(frame), textCharacters)}<span class="offset">${offset}</span>${
        count > 1 && html` <span class="times">${count} times</span>`
      }</span
    ><span class="module"
      >${module === null ? "no file" : cutText(fileOf(module), 80)}${
        frame.source !== null && html` · ${cutText(frame.source, 120)}`
      }</span
    ><span class="trust"><span aria-hidden="true">${MARKS[sureness]}</span> ${sureness}</span>
  </li>`;
}

const LEGEND: Readonly<Record<Sureness, string>> = {
  certain: "from the registers or the program's own unwinding tables",
  likely: "from the chain of frame pointers, or a call that leads here",
  guessed: "an address on the stack that looks like a caller, and may be wrong",
};

function legend(rows: readonly Row[]): Html {
  const used = new Set(rows.map(({ frame }) => surenessOf(frame.trust)));
  const shown = (Object.keys(LEGEND) as Sureness[]).filter((sureness) => used.has(sureness));
  return html`<p class="legend">
    ${shown.map((sureness, index) => html`${index > 0 && "; "}<span aria-hidden="true">${MARKS[sureness]}</span> ${sureness}: ${LEGEND[sureness]}`)}.
  </p>`;
}
