// A text as one field of an index key: letters, digits and what every file system and store takes as it is; a blank
// becomes +, an arrow !, and every other byte =XX. Whatever a crashed process calls itself, no field ends early.

const PLAIN = /^[A-Za-z0-9._@,()-]$/;
const encoder = new TextEncoder();

/** Encodes the text. At most maxBytes bytes of its beginning are kept, in whole characters. */
export function encodeField(text: string, maxBytes = Number.POSITIVE_INFINITY): string {
  let encoded = "";
  for (const character of text) {
    const piece = encodeCharacter(character, encoded === "");
    if (encoded.length + piece.length > maxBytes) break;
    encoded += piece;
  }
  return encoded;
}

function encodeCharacter(character: string, isFirst: boolean): string {
  if (character === " ") return "+";
  if (character === "←") return "!";
  // A name that begins so is hidden, or an option, or the folder above.
  if (PLAIN.test(character) && !(isFirst && /[.-]/.test(character))) return character;
  return Array.from(
    encoder.encode(character),
    (byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
}

/** Decodes a field. What is no encoding stays as it is. Never throws. */
export function decodeField(field: string): string {
  const text = field.replaceAll("+", " ").replaceAll("!", "←");
  return text.replace(/(?:=[0-9A-F]{2})+/g, (run) =>
    Buffer.from(run.replaceAll("=", ""), "hex").toString("utf8"),
  );
}
