// Turns the beginning of a JSON text into valid JSON. Pure.

/**
 * Takes the first part of a text that begins an object or a list, keeps the members that are whole, and closes the open
 * brackets. A whole text stays as it is. Returns "" for a text that begins neither.
 */
export function closeJson(text: string): string {
  const closers: string[] = [];
  let end = 0;
  let endClosers = "";
  const keepUntil = (at: number) => {
    end = at;
    endClosers = closers.toReversed().join("");
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === ",") keepUntil(at);
    else if (character === "{" || character === "[") {
      closers.push(character === "{" ? "}" : "]");
      keepUntil(at + 1);
    } else if (character === "}" || character === "]") {
      closers.pop();
      keepUntil(at + 1);
    }
  }
  return text.slice(0, end) + endClosers;
}

/** Returns the index of the quote that ends a string, or the text's length where the text is cut before it. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}
