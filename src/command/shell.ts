// The shells for which completion exists.

/** The shells' names. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
/** One of SHELLS. */
export type Shell = (typeof SHELLS)[number];

/** Returns whether a name is one of SHELLS. */
export function isShell(name: string): name is Shell {
  return SHELLS.some((shell) => shell === name);
}
