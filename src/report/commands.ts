// How to go on: the next three commands, with the dump's real names.
import { shellWord } from "../model/shell-word.ts";
import type { ReportedCrash } from "./reported-crash.ts";
import { html, type Html } from "./html.ts";

/** The section. */
export function commandsSection({ key, fileName }: ReportedCrash): Html {
  const file = shellWord(fileName);
  return html`<section aria-labelledby="next">
    <h2 id="next">How to go on</h2>
    <ol class="commands">
      <li>
        Fetch the dump from the store:
        <pre tabindex="0">core-dump-handler fetch ${shellWord(key)} --output ${file}</pre>
      </li>
      <li>
        Read all of what is known:
        <pre tabindex="0">core-dump-handler explain ${file}</pre>
      </li>
      <li>
        Open the core in a debugger:
        <pre tabindex="0">core-dump-handler debug ${file}</pre>
      </li>
    </ol>
  </section>`;
}
