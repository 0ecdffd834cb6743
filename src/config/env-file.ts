// The text form of HOST_DIR/.env: KEY="value" lines. The agent writes it, the composer reads it.
import { parseEnv } from "node:util";
import { AppError } from "../model/app-error.ts";

/** One line a key. Throws AppError "configuration" for a value that no quoting can carry. */
export function formatEnvFile(values: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${quote(String(value))}\n`)
    .join("");
}

/** Every key of the text; lines that are no setting are passed over, as dotenv readers do. */
export function parseEnvFile(text: string): Record<string, string> {
  const parsed: Record<string, string> = {};
  for (const [key, value] of Object.entries(parseEnv(text))) {
    if (value !== undefined) parsed[key] = value;
  }
  return parsed;
}

/** The first quote that the value does not hold; double quotes would also expand a backslash. */
function quote(value: string): string {
  const mark = ['"', "'", "`"].find(
    (candidate) => !value.includes(candidate) && !(candidate === '"' && value.includes("\\")),
  );
  if (mark === undefined || /[\r\n]/.test(value))
    throw new AppError(
      "configuration",
      `${JSON.stringify(value)} cannot be written to a .env file`,
      {
        hint: "use at most two kinds of quotes, on one line",
      },
    );
  return mark + value + mark;
}
