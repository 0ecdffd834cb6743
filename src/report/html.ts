// HTML from texts that an attacker chose: every value in a template is escaped unless it is Html already. Control and
// bidi characters become visible escapes.
import { manyLines, oneLine } from "../model/printable.ts";

/** A piece of HTML that is safe as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template; undefined, null and false leave nothing. */
export type Value = Html | string | number | undefined | null | false | readonly Value[];

/** Makes HTML of a template. Its values go into texts and quoted attributes only. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  let text = "";
  for (const [index, string] of strings.entries()) text += string + write(values[index]);
  return new Html(text);
}

function write(value: Value): string {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(write).join("");
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? escapeText(oneLine(value)) : "";
}

/** Makes HTML of text with line ends, for <pre>. */
export function preformatted(text: string): Html {
  return new Html(escapeText(manyLines(text)));
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}
