// Writes a mangled name as people do, short: "app::Worker<T>::get" for every Worker, without parameters, return type
// and hash. Titles show it and fingerprints compare it; the full form is c++filt's business. A name that is not
// understood stays as it is: it then meets no other name.
import { readItaniumName } from "./itanium-name.ts";
import { TEXT_MAX_CHARACTERS } from "./limits.ts";
import { orUndefined } from "./malformed.ts";
import { readRustName } from "./rust-name.ts";

/** Longer ones are not read: their short form would be no shorter. */
const MANGLED_MAX_CHARACTERS = 4096;

/** Returns the short form of a mangled name, or a name that is not understood, cut where it is very long. */
export function shortName(symbol: string): string {
  const name = withoutSuffix(symbol);
  if (name.length > MANGLED_MAX_CHARACTERS) return name.slice(0, TEXT_MAX_CHARACTERS);
  const read = name.startsWith("_R")
    ? orUndefined(() => readRustName(name))
    : name.startsWith("_Z")
      ? orUndefined(() => readItaniumName(name))
      : undefined;
  return (read ?? shortGoName(name)).slice(0, TEXT_MAX_CHARACTERS);
}

/**
 * Takes off what a compiler adds for parts and copies of a function: .cold, .part.0, .isra.0, .constprop.0, .llvm.123.
 */
function withoutSuffix(symbol: string): string {
  const name = symbol.replace(/@.*$/u, "");
  return name.replace(
    /(?:\.(?:abi0|abiinternal|cold|part|isra|constprop|lto_priv|llvm|localalias|clone|actor|destroy)(?:\.\d+)*|\.\d+)+$/u,
    "",
  );
}

/**
 * Shortens main.Map[go.shape.int].Get to main.Map[T].Get, and leaves out a closure's number, which follows the order in
 * the source.
 */
function shortGoName(name: string): string {
  if (!name.includes(".") || !/[[\]]|\.func\d/u.test(name)) return name;
  return collapseBrackets(name).replace(/\.func\d+(?:\.\d+)*/gu, ".func");
}

function collapseBrackets(name: string): string {
  let depth = 0;
  let text = "";
  for (const letter of name) {
    if (letter === "[" && depth++ === 0) text += "[T]";
    else if (letter === "]") depth = Math.max(0, depth - 1);
    else if (depth === 0) text += letter;
  }
  return text;
}
