// Words that several sections of a report share: cut texts, functions' names, how sure a frame is.
import type { FrameTrust, SummaryFrame } from "../model/crash-summary.ts";

/** Returns the text cut to at most `maxCharacters`, the last of them an ellipsis where it was longer. */
export function cutText(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  return `${text.slice(0, Math.max(1, maxCharacters - 1))}…`;
}

/** Returns a path's last component. */
export function fileOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1) || path;
}

/** Returns the function's name, else its place in its file, else its address. */
export function frameName({
  demangled,
  function: name,
  module,
  module_offset: offset,
  address,
}: SummaryFrame): string {
  if (demangled !== null || name !== null) return demangled ?? name ?? "";
  return module !== null && offset !== null ? `${fileOf(module)}+${offset}` : address;
}

/** How sure a frame is, in a word. */
export type Sureness = "certain" | "likely" | "guessed";

/** Returns how sure a frame is that was found in this way. */
export function surenessOf(trust: FrameTrust): Sureness {
  switch (trust) {
    case "context":
    case "cfi":
      return "certain";
    case "frame_pointer":
    case "call":
      return "likely";
    case "scan":
      return "guessed";
  }
}

/** Returns a moment as people read it, "2026-11-25 16:07:09 UTC"; undefined for what is no moment. */
export function momentOf(seconds: string | undefined): { iso: string; shown: string } | undefined {
  const ms = Number(seconds ?? "") * 1000;
  if (!(ms > 0 && ms < 8e15)) return undefined;
  const iso = new Date(ms).toISOString().replace(".000Z", "Z");
  return { iso, shown: iso.replace("T", " ").replace("Z", " UTC") };
}

/** Returns an address as a number; undefined for what is none. */
export function parseAddress(text: string | null | undefined): bigint | undefined {
  return text !== null && text !== undefined && /^0x[0-9a-f]{1,16}$/.test(text)
    ? BigInt(text)
    : undefined;
}
