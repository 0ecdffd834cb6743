// Who a core_pattern belongs to, for messages and for what must be respected on the host. Pure.

const HANDLERS: readonly [RegExp, string][] = [
  [/^\|\S*\/systemd-coredump(\s|$)/, "systemd-coredump"],
  [/^\|\S*\/apport(\s|$)/, "apport"],
  [/^\|\S*\/abrt-hook-ccpp(\s|$)/, "abrt"],
  [/^\|\S*\/kdump\S*(\s|$)/, "kdump"],
  [/^\|\S*\/cdc(\s|$)/, "another core-dump-handler"],
];

/** A name such as "systemd-coredump", or the pattern's own program or file. */
export function handlerName(pattern: string): string {
  const known = HANDLERS.find(([form]) => form.test(pattern))?.[1];
  if (known !== undefined) return known;
  if (pattern.startsWith("|")) return pattern.slice(1).trimStart().split(/\s/, 1)[0] || "nobody";
  if (pattern.startsWith("@")) return `the socket ${pattern.replace(/^@+/, "")}`;
  return pattern === "" ? "nobody (it is empty)" : `plain files named ${pattern}`;
}

/** True for a pattern that starts a program, which could be handed a core. */
export function isPipePattern(pattern: string): boolean {
  return pattern.startsWith("|");
}

/** What a pattern's % specifiers stand for (core(5)), by their letter; "" for what is not known. */
export type PatternValues = Readonly<Record<string, string>>;

/**
 * The program and arguments that a pipe pattern means for one crash, split and expanded as the kernel does it
 * since Linux 5.3: at blanks first, so that no value becomes two arguments. Unknown specifiers vanish.
 * Empty for a pattern that starts no program.
 */
export function expandPipePattern(pattern: string, values: PatternValues): string[] {
  if (!isPipePattern(pattern)) return [];
  const words = pattern
    .slice(1)
    .split(/\s+/)
    .filter((word) => word !== "");
  return words.map((word) =>
    word.replace(/%(.)/g, (_, letter: string) => (letter === "%" ? "%" : (values[letter] ?? ""))),
  );
}
