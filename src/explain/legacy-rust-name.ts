// Reads names of Rust before its own mangling: Itanium's, with a hash as the last part and punctuation as $LT$ and the
// like.

/** The names of legacy Rust symbols end in a hash of their own. */
const HASH = /^h[0-9a-f]{16}$/u;

/** Returns whether the parts of an Itanium name are a legacy Rust name, which ends in a hash. */
export function isLegacyRust(parts: readonly string[]): boolean {
  return parts.length > 1 && HASH.test(parts.at(-1) ?? "");
}

/** Writes one part as Rust does; generic arguments become <T>. */
export function legacyRustPart(part: string): string {
  return collapseGenerics(withoutMarks(part));
}

function collapseGenerics(text: string): string {
  let [depth, kept] = [0, ""];
  for (const [index, letter] of text.split("").entries()) {
    if (letter === "<" && (depth > 0 || /\w/u.test(text.charAt(index - 1)))) {
      if (depth++ === 0) kept += "<T>";
    } else if (letter === ">" && depth > 0) depth--;
    else if (depth === 0) kept += letter;
  }
  return kept;
}

function withoutMarks(part: string): string {
  const marks: Readonly<Record<string, string>> = {
    SP: "@",
    BP: "*",
    RF: "&",
    LT: "<",
    GT: ">",
    LP: "(",
    RP: ")",
    C: ",",
  };
  return part
    .replace(/^_(?=\$)/u, "")
    .replace(/\$([A-Z]{1,2}|u[0-9a-f]{1,6})\$/gu, (whole, mark: string) => {
      if (marks[mark] !== undefined) return marks[mark];
      const code = mark.startsWith("u") ? Number.parseInt(mark.slice(1), 16) : 0;
      return code >= 0x20 && code < 0x7f ? String.fromCodePoint(code) : whole;
    })
    .replaceAll("..", "::");
}
