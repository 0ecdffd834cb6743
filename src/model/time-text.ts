// Reads moments as people write them on a command line. Dates are UTC, as every output of this program.
import { AppError } from "./app-error.ts";

const UNITS: Readonly<Record<string, number>> = {
  s: 1e3,
  m: 60e3,
  h: 3600e3,
  d: 86_400e3,
  w: 604_800e3,
};
const DAY_MS = 86_400e3;

/** What a message shows as an example. */
const EXAMPLES = "write 90s, 1h30m, 7d, today, yesterday, 2026-11-22 or 2026-11-22T10:00:00Z";

/**
 * Returns a moment in ms since the epoch. The text is a time before now (`90s`, `1h30m`, `7d`, `2w`, with or without
 * "ago"), a word (`now`, `today`, `yesterday`: its midnight) or a date with or without a time (`2026-11-22`,
 * `2026-11-22 10:00`, `2026-11-22T10:00:00+01:00`). Throws AppError "usage" that names the option for any other text.
 */
export function parseMoment(option: string, text: string, nowMs: number): number {
  const moment = parseAgo(text, nowMs) ?? parseWord(text, nowMs) ?? parseDate(text);
  if (moment === undefined)
    throw new AppError("usage", `${option} ${JSON.stringify(text)} is no time`, { hint: EXAMPLES });
  return moment;
}

function parseAgo(text: string, nowMs: number): number | undefined {
  const bare = text
    .trim()
    .toLowerCase()
    .replace(/\s*ago$/, "");
  if (!/^(\d{1,6}\s*[smhdw]\s*)+$/.test(bare)) return undefined;
  const parts = [...bare.matchAll(/(\d+)\s*([smhdw])/g)];
  return parts.reduce((ms, [, count, unit = ""]) => ms - Number(count) * (UNITS[unit] ?? 0), nowMs);
}

function parseWord(text: string, nowMs: number): number | undefined {
  const midnight = nowMs - (nowMs % DAY_MS);
  const words: Readonly<Record<string, number>> = {
    now: nowMs,
    today: midnight,
    yesterday: midnight - DAY_MS,
  };
  return words[text.trim().toLowerCase()];
}

function parseDate(text: string): number | undefined {
  const match =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:\d{2})?)?$/.exec(
      text.trim(),
    );
  if (match === null) return undefined;
  const [, day = "", time = "00:00", zone = "Z"] = match;
  const moment = Date.parse(`${day}T${time}${zone}`);
  return Number.isNaN(moment) ? undefined : moment;
}

/** An age in its largest whole unit: "45 s", "3 h", "12 d". */
export function formatAge(ms: number): string {
  const largest = (["d", "h", "m", "s"] as const).find((unit) => ms >= (UNITS[unit] ?? 1));
  if (largest === undefined) return "less than 1 s";
  const count = Math.floor(ms / (UNITS[largest] ?? 1));
  return `${count} ${largest === "m" ? "min" : largest}`;
}
