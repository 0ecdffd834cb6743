// The text form of HOST_DIR/.env: KEY="value" lines. The agent writes it, the composer reads it.
import { parseEnv } from "node:util";
import { AppError } from "./app-error.ts";

/** Writes one line for each key. Throws AppError "configuration" for a value that no quoting can carry. */
export function formatEnvFile(values: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(values)
    .map(([key, value]) => formatLine(key, String(value)))
    .join("");
}

/** Reads every key of the text and ignores lines that are no setting, as dotenv readers do. */
export function parseEnvFile(text: string): Record<string, string> {
  const parsed: Record<string, string> = {};
  for (const [key, value] of Object.entries(parseEnv(text))) {
    if (value !== undefined) parsed[key] = value;
  }
  return parsed;
}

/** What every reader takes as it stands, a shell and grep included. */
const PLAIN = /^[A-Za-z0-9_./:@%+,{}*=-]*$/;

/**
 * Writes the value without quotes where it needs none, because scripts look for lines such as IGNORE_CRIO=false. Puts any
 * other between quotes from which the parser returns it unchanged. Tries each kind with the parser itself: in
 * Bun 1.4.5 double quotes expand a backslash, and no quote may follow one.
 */
function formatLine(key: string, value: string): string {
  if (PLAIN.test(value)) return `${key}=${value}\n`;
  const forms = ['"', "'", "`"].map((mark) => `${key}=${mark}${value}${mark}\n`);
  const line = forms.find((form) => {
    const { [key]: read, NEXT: next } = parseEnvFile(`${form}NEXT="1"\n`);
    return read === value && next === "1";
  });
  if (line === undefined || /[\r\n]/.test(value))
    throw new AppError(
      "configuration",
      `${JSON.stringify(value)} cannot be written to a .env file`,
      { hint: "use at most two kinds of quotes, no backslash at the end, on one line" },
    );
  return line;
}
