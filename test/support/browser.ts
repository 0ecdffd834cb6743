// Debian's Chromium, driven by playwright-core: pages in light, dark, narrow and on paper, and what axe finds in them.
import axe from "axe-core";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { atEnd } from "./at-end.ts";
import { findProgram, missingProgram } from "./gate.ts";

/** Why no browser can be driven here, or undefined. */
export function browserObstacle(): string | undefined {
  return missingProgram("chromium");
}

let started: Promise<Browser> | undefined;

/** The test process's one browser. */
function browser(): Promise<Browser> {
  started ??= chromium
    .launch({
      executablePath: findProgram("chromium") ?? "chromium",
      // Chromium's own sandbox refuses to start as root.
      args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
    })
    .then((open) => {
      atEnd(() => open.close());
      return open;
    });
  return started;
}

/** How a page is looked at. */
export type View = "light" | "dark" | "narrow" | "print";

/** The views that every page must be readable in. */
export const VIEWS: readonly View[] = ["light", "dark", "narrow", "print"];

/** A page, and every request that left it. */
export interface OpenPage {
  page: Page;
  /** The addresses that the page asked for. */
  requests: string[];
  /** Messages of the console and errors, refusals by the Content-Security-Policy among them. */
  messages: string[];
}

/** Opens an address in a context of its own, which ends with `look`. */
export async function withPage<T>(
  address: string,
  view: View,
  look: (open: OpenPage) => Promise<T>,
  { javaScriptEnabled = true }: { javaScriptEnabled?: boolean } = {},
): Promise<T> {
  const context: BrowserContext = await (
    await browser()
  ).newContext({
    javaScriptEnabled,
    colorScheme: view === "dark" ? "dark" : "light",
    viewport: view === "narrow" ? { width: 390, height: 844 } : { width: 1100, height: 900 },
  });
  try {
    const page = await context.newPage();
    const [requests, messages]: [string[], string[]] = [[], []];
    page.on("request", (request) => requests.push(request.url()));
    page.on("console", (message) => messages.push(message.text()));
    page.on("pageerror", (error) => messages.push(String(error)));
    if (view === "print") await page.emulateMedia({ media: "print" });
    await page.goto(address);
    return await look({ page, requests, messages });
  } finally {
    await context.close();
  }
}

/** What axe finds that is serious or critical: rule and elements. */
export async function seriousFaults(page: Page): Promise<string[]> {
  // The page's own policy allows no script; the browser's debugger is not bound by it.
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { axe: tool } = globalThis as unknown as { axe: typeof axe };
    const { violations } = await tool.run();
    return violations.map(({ id, impact, nodes }) => ({
      impact,
      text: `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`,
    }));
  });
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ text }) => text);
}

/** Whether the page is wider than its window, so that one has to scroll sideways. */
export function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate<boolean>("document.documentElement.scrollWidth > window.innerWidth");
}
