// Which program a core_pattern belongs to: messages name it, and the agent leaves some of them in place. Pure.

const HANDLERS: readonly [RegExp, string][] = [
  [/^\|\S*\/systemd-coredump(\s|$)/, "systemd-coredump"],
  [/^\|\S*\/apport(\s|$)/, "apport"],
  [/^\|\S*\/abrt-hook-ccpp(\s|$)/, "abrt"],
  [/^\|\S*\/kdump\S*(\s|$)/, "kdump"],
  [/^\|\S*\/cdc(\s|$)/, "another core-dump-handler"],
];

/** Returns a known name such as "systemd-coredump", else the program or file in the pattern. */
export function handlerName(pattern: string): string {
  const known = HANDLERS.find(([form]) => form.test(pattern))?.[1];
  if (known !== undefined) return known;
  if (pattern.startsWith("|")) return pattern.slice(1).trimStart().split(/\s/, 1)[0] || "nobody";
  if (pattern.startsWith("@")) return `the socket ${pattern.replace(/^@+/, "")}`;
  return pattern === "" ? "nobody (it is empty)" : `plain files named ${pattern}`;
}

/** True for a pattern that starts a program, to which a composer can pass a core on. */
export function isPipePattern(pattern: string): boolean {
  return pattern.startsWith("|");
}

/** The values of a pattern's % specifiers (core(5)), by their letter; "" for an unknown value. */
export type PatternValues = Readonly<Record<string, string>>;

/**
 * Returns the program and arguments that a pipe pattern means for one crash. Splits and expands as the kernel does
 * since Linux 5.3: it splits at blanks first, so that no value becomes two arguments. Unknown specifiers vanish. The
 * list is empty for a pattern that starts no program.
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
