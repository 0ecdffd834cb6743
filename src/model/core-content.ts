// How much of a core a dump has: all of it, the stacks and what belongs to them, or the one or the other by its size.

export const CORE_CONTENTS = ["full", "stacks", "auto"] as const;
/** One of CORE_CONTENTS. */
export type CoreContent = (typeof CORE_CONTENTS)[number];
