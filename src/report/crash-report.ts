// T-report.html: one crash as a page for people, whole in one file and without a script. Everything in it is the
// crashed program's own word. It is cut step by step until it fits.
import { commandsSection } from "./commands.ts";
import { factsSection, sentenceOf, titleOf } from "./facts.ts";
import { html, Html } from "./html.ts";
import { limitsSection } from "./limits-section.ts";
import { logSection } from "./log-section.ts";
import { memorySection } from "./memory-map.ts";
import type { ReportedCrash, ReportLimits } from "./reported-crash.ts";
import { registersSection } from "./registers.ts";
import { stackSection } from "./stack-section.ts";
import { REPORT_STYLE } from "./style.ts";
import { threadsSection } from "./threads-section.ts";

const REPORT_MAX_BYTES = 200_000;

/** What is shown, from much to little: the first that fits is taken. */
export const LIMITS: readonly [ReportLimits, ReportLimits, ReportLimits] = [
  {
    textCharacters: 300,
    frames: 64,
    threadGroups: 24,
    threadFrames: 8,
    logLines: 60,
    logLineCharacters: 400,
    areas: 40,
    items: 32,
  },
  {
    textCharacters: 160,
    frames: 40,
    threadGroups: 12,
    threadFrames: 4,
    logLines: 40,
    logLineCharacters: 200,
    areas: 24,
    items: 16,
  },
  {
    textCharacters: 64,
    frames: 16,
    threadGroups: 4,
    threadFrames: 2,
    logLines: 12,
    logLineCharacters: 120,
    areas: 12,
    items: 8,
  },
];

/** Browsers load nothing and run nothing for this page, whatever it holds. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** Makes the page, of at most 200 kB. */
export function formatReport(crash: ReportedCrash): Uint8Array {
  let page = new Uint8Array(0);
  for (const limits of LIMITS) {
    page = new TextEncoder().encode(reportPage(crash, limits).text);
    if (page.length <= REPORT_MAX_BYTES) return page;
  }
  return page;
}

function reportPage(crash: ReportedCrash, limits: ReportLimits): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${titleOf(crash, limits)}</title>
        <style>
          ${new Html(REPORT_STYLE)}
        </style>
      </head>
      <body>
        <main>
          ${reportHead(crash, limits)} ${reportSections(crash, limits)}
          <footer>
            Made on the node at the crash by core-dump-handler. Names and texts are the crashed
            program's own.
          </footer>
        </main>
      </body>
    </html> `;
}

/** The report's head: title, and what happened in plain words. */
export function reportHead(crash: ReportedCrash, limits: ReportLimits = LIMITS[0]): Html {
  return html`<header>
    <p class="kicker">Crash report</p>
    <h1>${titleOf(crash, limits)}</h1>
    <p class="lead">${sentenceOf(crash, limits)}</p>
  </header>`;
}

/** The report's sections, which the pages of `serve` show too. */
export function reportSections(crash: ReportedCrash, limits: ReportLimits = LIMITS[0]): Html {
  return html`${factsSection(crash, limits)} ${stackSection(crash, limits)}
  ${logSection(crash, limits)} ${threadsSection(crash, limits)} ${registersSection(crash, limits)}
  ${memorySection(crash, limits)} ${limitsSection(crash, limits)} ${commandsSection(crash)}`;
}
