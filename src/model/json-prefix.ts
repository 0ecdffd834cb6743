// The beginning of a JSON text as valid JSON: what is whole of it, closed. Pure.

/**
 * For the first part of a text that begins an object or a list: the members that are whole in it, and the brackets
 * that are open there closed. A whole text stays as it is; "" for one that begins neither.
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

/** The index of the quote that ends a string; the text's length where it is cut before. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}
