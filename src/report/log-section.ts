// The end of the container's log, with the lines of its panic marked.
import type { ReportedCrash, ReportLimits } from "./reported-crash.ts";
import { html, Html, preformatted } from "./html.ts";
import { cutText } from "./text.ts";

/** Not in a template, where a formatter may take it for white space. */
const LINE_END = new Html("\n");

/** The section; nothing where there is no log. */
export function logSection({ summary, log }: ReportedCrash, limits: ReportLimits): Html {
  const lines = log.split(/\r?\n/).filter((line) => line !== "");
  if (lines.length === 0) return html``;
  const panic = (summary?.panic?.text ?? "").split("\n").map((line) => line.trim());
  const wanted = new Set(panic.filter((line) => line !== ""));
  const isMarked = (line: string) =>
    wanted.size > 0 && [...wanted].some((part) => line.trimEnd().endsWith(part));
  const shown = lines.slice(-limits.logLines);
  const left = lines.length - shown.length;
  const rows = shown.flatMap((line) => {
    const text = preformatted(cutText(line, limits.logLineCharacters));
    return [isMarked(line) ? html`<mark>${text}</mark>` : text, LINE_END];
  });
  return html`<section aria-labelledby="log">
    <h2 id="log">Last lines of its log</h2>
    ${wanted.size > 0 && html`<p>The marked lines are the program's last words (${summary?.panic?.language ?? ""}).</p>`}
    <pre tabindex="0" role="region" aria-labelledby="log">${rows}</pre>
    ${left > 0 && html`<p>${left} earlier lines are in the dump.</p>`}
  </section>`;
}
