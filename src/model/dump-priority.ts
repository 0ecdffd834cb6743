// How much a dump is worth to its pod: which of a namespace's dumps give way first (eviction.ts).

/** In the order in which dumps give way. */
export const DUMP_PRIORITIES = ["low", "normal", "high"] as const;
/** One of DUMP_PRIORITIES. */
export type DumpPriority = (typeof DUMP_PRIORITIES)[number];
