// The report in a real browser: readable in every view, and harmless whatever the crashed program called itself.
import { expect } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatReport } from "../../../src/report/crash-report.ts";
import type { ReportedCrash } from "../../../src/report/reported-crash.ts";
import {
  browserObstacle,
  isTooWide,
  seriousFaults,
  VIEWS,
  withPage,
} from "../../support/browser.ts";
import { gatedTest } from "../../support/gate.ts";
import { hostileCrash, MARKUP } from "../../support/hostile-crash.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const withReport = (crash: ReportedCrash, look: (address: string) => Promise<void>) =>
  withFolder(async (folder) => {
    const path = join(folder, "T-report.html");
    await writeFile(path, formatReport(crash));
    await look(`file://${path}`);
  });

gatedTest(
  "a report whose every text is markup runs and asks for nothing",
  [browserObstacle()],
  () =>
    withReport(hostileCrash(12), async (address) => {
      for (const view of VIEWS)
        await withPage(address, view, async ({ page, requests, messages }) => {
          expect(await page.title()).toStartWith(MARKUP.slice(0, 40));
          expect(await page.locator("script, img, form, base, iframe").count()).toBe(0);
          expect(await page.locator("footer").isVisible()).toBe(true);
          expect(requests).toEqual([address]);
          expect(messages).toEqual([]);
          expect(await isTooWide(page)).toBe(false);
          expect(await seriousFaults(page)).toEqual([]);
        });
    }),
);

gatedTest("its policy stops what would come through in spite of all", [browserObstacle()], () =>
  withFolder(async (folder) => {
    const page = new TextDecoder().decode(formatReport(hostileCrash(3)));
    const path = join(folder, "T-report.html");
    const holes = `<script>document.title="taken"</script><img src="http://127.0.0.1:9/x"><iframe src="http://127.0.0.1:9/y"></iframe><link rel="stylesheet" href="http://127.0.0.1:9/z">`;
    await writeFile(path, page.replace("<footer>", `${holes}<footer>`));
    await withPage(`file://${path}`, "light", async ({ page: open, messages }) => {
      expect(await open.title()).not.toBe("taken");
      const refused = messages.filter((message) => message.includes("Content Security Policy"));
      expect(refused.length).toBeGreaterThanOrEqual(4);
    });
  }),
);
