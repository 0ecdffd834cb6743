// Reads moments as people write them on a command line.
import { AppError } from "./app-error.ts";

const AGO_UNITS: Readonly<Record<string, number>> = {
  m: 60e3,
  h: 3600e3,
  d: 86_400e3,
  w: 604_800e3,
};

/**
 * Returns a moment in ms since the epoch. The text is a time before now (`90m`, `24h`, `7d`, `2w`) or a date
 * (`2026-11-22`, `2026-11-22T10:00:00Z`). Throws AppError "usage" for any other text.
 */
export function parseSince(text: string, nowMs: number): number {
  const ago = /^(\d{1,6})([mhdw])$/.exec(text);
  if (ago !== null) return nowMs - Number(ago[1]) * (AGO_UNITS[ago[2] ?? ""] ?? 0);
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new AppError("usage", `--since ${JSON.stringify(text)} is no time`, {
      hint: "write 24h, 7d, 2026-11-22 or 2026-11-22T10:00:00Z",
    });
  return at;
}
