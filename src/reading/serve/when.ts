// Moments and days as pages show them, and what is new or has come back.
import { html, type Html } from "../../report/html.ts";
import { lastDays } from "./cache-queries.ts";

/** The days of a sparkline. */
export const SPARK_DAYS = 14;
const DAY_SECONDS = 86_400;
/** A bug is new for so long after its first crash. */
const NEW_SECONDS = DAY_SECONDS;
/** A bug has come back when it was silent for so many days before the last ones. */
const SILENT_DAYS = 7;

/** Shows a moment in seconds since the epoch as how long ago it was; the moment itself stands in a tip. */
export function ago(seconds: number, nowSeconds: number): Html {
  const iso = new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
  return html`<time datetime="${iso}" title="${iso}">${agoText(nowSeconds - seconds)}</time>`;
}

function agoText(seconds: number): string {
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 2 * DAY_SECONDS) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / DAY_SECONDS)} days ago`;
}

const [BAR_WIDTH, BAR_GAP, HEIGHT] = [6, 2, 24];

/** Draws how many crashes there were on each of the last days. */
export function sparkline(daily: ReadonlyMap<string, number>, nowSeconds: number): Html {
  const counts = lastDays(SPARK_DAYS, nowSeconds).map((day) => daily.get(day) ?? 0);
  const most = Math.max(1, ...counts);
  const width = SPARK_DAYS * (BAR_WIDTH + BAR_GAP) - BAR_GAP;
  const bars = counts.map((count, index) => {
    const height = count === 0 ? 1 : Math.max(3, Math.round((count / most) * HEIGHT));
    return html`<rect
      class="${count === 0 ? "none" : "some"}"
      x="${index * (BAR_WIDTH + BAR_GAP)}"
      y="${HEIGHT - height}"
      width="${BAR_WIDTH}"
      height="${height}"
    />`;
  });
  const label = `Crashes a day in the last ${SPARK_DAYS} days: ${counts.join(", ")}`;
  return html`<svg
    class="spark"
    role="img"
    aria-label="${label}"
    width="${width}"
    height="${HEIGHT}"
    viewBox="0 0 ${width} ${HEIGHT}"
  >
    ${bars}
  </svg>`;
}

/** "new", "came back", or neither. `oldest` is the store's oldest crash; all in seconds since the epoch. */
export function newsOf(
  { first, last }: { first: number; last: number },
  daily: ReadonlyMap<string, number>,
  { oldest, nowSeconds }: { oldest: number; nowSeconds: number },
): "new" | "came back" | undefined {
  // In a store that is no older than that all bugs would be new.
  if (nowSeconds - first < NEW_SECONDS && first - oldest > NEW_SECONDS) return "new";
  const recent = nowSeconds - SPARK_DAYS * DAY_SECONDS;
  if (last < recent || first > nowSeconds - SILENT_DAYS * DAY_SECONDS) return undefined;
  const days = lastDays(SPARK_DAYS, nowSeconds);
  const firstRecent = days.findIndex((day) => (daily.get(day) ?? 0) > 0);
  return firstRecent >= SILENT_DAYS && first < recent ? "came back" : undefined;
}
