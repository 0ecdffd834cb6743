// The composer's flags (docs/contract.md, section 2): their letters, and the specifier of core(5) that fills each.
// core_pattern, the names of core files, the command line and its help are all made of this table.

/** One flag of the composer's command line. */
export interface ComposerFlag {
  letter: string;
  /**
   * The specifier of core(5) that fills the flag, without its %. A flag that only people and older patterns set has
   * none.
   */
  specifier?: string;
  /** The crashing process may choose its value. */
  itsOwn?: true;
}

/** Every flag by its long name. */
export const COMPOSER_FLAGS = {
  "limit-size": { letter: "c", specifier: "c" },
  "exe-name": { letter: "e", specifier: "e", itsOwn: true },
  pid: { letter: "p", specifier: "p" },
  signal: { letter: "s", specifier: "s" },
  timestamp: { letter: "t", specifier: "t" },
  hostname: { letter: "h", specifier: "h", itsOwn: true },
  pathname: { letter: "E", specifier: "E", itsOwn: true },
  uid: { letter: "u", specifier: "u" },
  gid: { letter: "g", specifier: "g" },
  "host-pid": { letter: "P", specifier: "P" },
  "host-tid": { letter: "I", specifier: "I" },
  dumpable: { letter: "k", specifier: "d" },
  pidfd: { letter: "F", specifier: "F" },
  dir: { letter: "d" },
  timeout: { letter: "T" },
  "disable-compression": { letter: "D" },
} as const satisfies Record<string, ComposerFlag>;

/** The long name of a flag, without dashes. */
/** The numbers that the kernel itself counts, in the order of our patterns, of the pipe and of core files. */
export const KERNEL_NUMBERS = [
  "host-pid",
  "host-tid",
  "pid",
  "signal",
  "timestamp",
  "limit-size",
  "uid",
  "gid",
  "dumpable",
] as const satisfies readonly (keyof typeof COMPOSER_FLAGS)[];

export type FlagName = keyof typeof COMPOSER_FLAGS;

/** Finds a flag by its letter or long name, without dashes; undefined for an unknown one. */
export function flagOf(word: string): FlagName | undefined {
  const names = Object.keys(COMPOSER_FLAGS) as FlagName[];
  return names.find((name) => name === word || COMPOSER_FLAGS[name].letter === word);
}

/** Writes one argument, such as `-P=7`. */
export function formatFlag(name: FlagName, value: string): string {
  return `-${COMPOSER_FLAGS[name].letter}=${value}`;
}

/** Writes one argument of core_pattern, whose value the kernel fills in, such as `-k=%d`. */
export function patternFlag(
  name: Exclude<FlagName, "dir" | "timeout" | "disable-compression">,
): string {
  return formatFlag(name, `%${COMPOSER_FLAGS[name].specifier}`);
}
