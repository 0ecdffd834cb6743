// Makes text from outside harmless for people, terminals and log readers; the only place that does so. A character
// that moves the cursor, begins a line, reverses the reading order or is invisible becomes a \u escape, in text as in
// JSON.

/**
 * Controls (C0, DEL, C1), format characters (bidi, zero width, tags), line and paragraph separators, lone surrogates.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/**
 * Like UNSAFE, without the newline: indented JSON has its own newlines, and JSON.stringify has escaped those in its
 * texts.
 */
const UNSAFE_IN_JSON = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Returns the text on one line. A JSON document keeps its meaning. */
export function oneLine(text: string): string {
  return text.replace(UNSAFE, escape);
}

/** Returns the text with its line ends and tabs, for a log that is shown as it is. */
export function manyLines(text: string): string {
  return text.replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, escape);
}

/** Writes JSON as JSON.stringify does and escapes unsafe characters in its texts. Writes `undefined` as null. */
export function printableJson(value: unknown, indent?: number): string {
  const json: string | undefined = JSON.stringify(value, null, indent);
  return (json ?? "null").replace(UNSAFE_IN_JSON, escape);
}

/** Escapes each UTF-16 unit, as JSON does. */
function escape(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    const unit = character.charCodeAt(index).toString(16).padStart(4, "0");
    return `\\u${unit}`;
  }).join("");
}
