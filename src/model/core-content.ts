// How much of a core a dump has: all of it, the stacks and what belongs to them, or the one or the other by its size.
import { formatBytes } from "./byte-text.ts";

/** The values of the setting. */
export const CORE_CONTENTS = ["full", "stacks", "auto"] as const;
/** One of CORE_CONTENTS. */
export type CoreContent = (typeof CORE_CONTENTS)[number];

/** Returns what a small core leaves out by intent, in words for people; "" for any other. */
export function describeOmitted({ core_content, core_omitted_bytes: bytes }: OmittedFacts): string {
  if (core_content !== "stacks") return "";
  const left = bytes === undefined ? "" : ` (${formatBytes(bytes)} left out)`;
  return `stacks and what belongs to them alone${left}`;
}

interface OmittedFacts {
  core_content?: unknown;
  core_omitted_bytes?: number | undefined;
}
