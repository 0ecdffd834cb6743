// The pages of `serve` in a real browser, clicked through: readable in every view, with and without scripts, and not
// taken over by what a crash calls itself.
import { expect } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import type { IndexedCrash } from "../../../src/model/indexed-crash.ts";
import {
  browserObstacle,
  isTooWide,
  seriousFaults,
  VIEWS,
  withPage,
  type View,
} from "../../support/browser.ts";
import { gatedTest } from "../../support/gate.ts";
import { hostileCrash, MARKUP } from "../../support/hostile-crash.ts";
import { manyCrashes } from "../../support/many-crashes.ts";
import { withServer, writeIndexed } from "../../support/served-store.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const NOW = Math.floor(Date.now() / 1000);
const FLEET = { crashes: 300, bugs: 60, days: 20, nodes: 5, endSeconds: NOW };
const BUG = "1d38ea98bff9b22d";
/** Colours differ between these two; axe finds nothing else in the others. */
const AXE_VIEWS: ReadonlySet<View> = new Set(["light", "dark"]);

/** A store of a fleet, and of one crash of which every text is markup. */
async function fillStore(folder: string): Promise<void> {
  for (const crash of manyCrashes(FLEET)) writeIndexed(folder, crash);
  const { info, summary, log } = hostileCrash(12);
  const facts = { ...info, timestamp: String(NOW - 5), bug: BUG, container_index: 0 };
  const zip = zipSync({
    "T-dump-info.json": strToU8(JSON.stringify(facts)),
    "T.core": strToU8("core"),
    "T-0.log": strToU8(log),
    [`T-${MARKUP.replaceAll("/", "|")}-summary.json`]: strToU8(JSON.stringify(summary)),
  });
  await writeFile(join(folder, "T.zip"), zip);
  const crash: IndexedCrash = {
    timeSeconds: NOW - 5,
    bug: BUG,
    title: MARKUP,
    exe: MARKUP,
    signal: "SIGSEGV",
    namespace: MARKUP,
    image: MARKUP,
    pod: MARKUP,
    container: MARKUP,
    node: MARKUP,
    coreComplete: true,
    coreBytes: 4,
    zipBytes: zip.length,
    key: "T.zip",
  };
  writeIndexed(folder, crash);
}

gatedTest("from all bugs to one, to its crash, in every view", [browserObstacle()], () =>
  withFolder(async (folder) => {
    await fillStore(folder);
    await withServer({ folder }, async (_, url) => {
      for (const view of VIEWS)
        await withPage(url, view, async ({ page, requests, messages }) => {
          expect(await page.locator("h1").textContent()).toBe("61 bugs, 301 crashes");
          const check = async () => {
            if (AXE_VIEWS.has(view)) expect(await seriousFaults(page)).toEqual([]);
            expect(await isTooWide(page)).toBe(false);
          };
          await check();
          await page.locator("tbody th a").first().click();
          await page.waitForURL(/\/bug\//);
          expect(await page.locator("h1").textContent()).toContain(MARKUP.slice(0, 40));
          await check();
          await page.getByRole("link", { name: "The report of its clearest crash" }).click();
          await page.waitForURL(/\/crash\?/);
          expect(await page.getByRole("link", { name: "T.core" }).isVisible()).toBe(true);
          expect(await page.title()).not.toBe("taken");
          await check();
          expect(
            requests.filter((each) => !each.startsWith(url) && !each.startsWith("data:")),
          ).toEqual([]);
          expect(messages).toEqual([]);
        });
    });
  }),
);

gatedTest("keys move through the bugs; the search is in the address", [browserObstacle()], () =>
  withFolder(async (folder) => {
    await fillStore(folder);
    await withServer({ folder }, async (_, url) => {
      await withPage(url, "light", async ({ page }) => {
        await page.keyboard.press("j");
        await page.keyboard.press("j");
        const second = await page.locator("tbody th a").nth(1).textContent();
        expect(await page.locator(":focus").textContent()).toBe(second);
        await page.keyboard.press("/");
        await page.keyboard.type("handle_7");
        await page.keyboard.press("Enter");
        await page.waitForURL(/\?q=handle_7/);
        expect(await page.locator("tbody tr").count()).toBe(1);
      });
    });
  }),
);

gatedTest("without scripts everything is there", [browserObstacle()], () =>
  withFolder(async (folder) => {
    await fillStore(folder);
    await withServer({ folder }, async (_, url) => {
      await withPage(
        url,
        "light",
        async ({ page }) => {
          await page.locator("select[name=signal]").selectOption("SIGABRT");
          await page.getByRole("button", { name: "Show" }).click();
          await page.waitForURL(/signal=SIGABRT/);
          expect(await page.locator("h1").textContent()).toMatch(/^15 bugs, /);
          await page.locator("tbody th a").first().click();
          await page.waitForURL(/\/bug\//);
          expect(await page.locator("table.crashes").isVisible()).toBe(true);
        },
        { javaScriptEnabled: false },
      );
    });
  }),
);
