// One crash: its report, made anew from what the dump holds, its files, and how to get it.
import { formatBytes } from "../../model/byte-text.ts";
import { shellWord } from "../../model/shell-word.ts";
import type { BoundedEntry } from "../../model/zip-bounds.ts";
import { reportHead, reportSections } from "../../report/crash-report.ts";
import { html, type Html } from "../../report/html.ts";
import type { ReportedCrash } from "../../report/reported-crash.ts";
import { cutText } from "../../report/text.ts";

const FILES_SHOWN = 200;

/** Makes the page. */
export function crashMain(
  crash: ReportedCrash,
  bug: string,
  entries: readonly BoundedEntry[],
): Html {
  const query = `key=${encodeURIComponent(crash.key)}`;
  const left = entries.length - FILES_SHOWN;
  return html`<p class="crumbs"><a href="/bug/${bug}">All crashes of this bug</a></p>
    ${reportHead(crash)}${reportSections(crash)}
    <section aria-labelledby="files">
      <h2 id="files">Files</h2>
      <p>
        <a href="/dump?${query}" download>Download the whole dump</a>. Whoever has it has the
        process's memory.
      </p>
      <ul class="files">
        ${entries.slice(0, FILES_SHOWN).map(
          ({ name, sizeBytes }) =>
            html`<li>
              <a href="/file?${query}&amp;name=${encodeURIComponent(name)}" download
                >${cutText(name, 200)}</a
              >
              <span class="faint">${formatBytes(sizeBytes)}</span>
            </li>`,
        )}
      </ul>
      ${left > 0 && html`<p>And ${left} more.</p>`}
      <p>To debug it here:</p>
      <pre tabindex="0">
core-dump-handler fetch ${shellWord(crash.key)} --output ${shellWord(crash.fileName)} &amp;&amp; core-dump-handler debug ${shellWord(crash.fileName)}</pre>
    </section>`;
}
