// Text from outside, made harmless where people, terminals and log readers see it: the one place for it. What moves the
// cursor, begins a line, reverses the reading order or cannot be seen becomes a \u escape, in text as in JSON.

/** Controls (C0, DEL, C1), format characters (bidi, zero width, tags), line and paragraph separators, lone surrogates. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** The newlines of indented JSON are its own: those of its texts are escaped already. */
const UNSAFE_IN_JSON = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The text on one line. A JSON document stays the same document. */
export function oneLine(text: string): string {
  return text.replace(UNSAFE, escape);
}

/** The text with its own line ends and tabs kept, for a log that is shown as it is. */
export function manyLines(text: string): string {
  return text.replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, escape);
}

/** JSON as JSON.stringify writes it, its texts escaped further. `undefined` is null. */
export function printableJson(value: unknown, indent?: number): string {
  const json: string | undefined = JSON.stringify(value, null, indent);
  return (json ?? "null").replace(UNSAFE_IN_JSON, escape);
}

/** UTF-16 units, as JSON counts them. */
function escape(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    const unit = character.charCodeAt(index).toString(16).padStart(4, "0");
    return `\\u${unit}`;
  }).join("");
}
