// Reduces labels, whose values the crashed process may have chosen, to what a store's headers and tags hold.
import type { DumpLabels } from "./dump-labels.ts";

/**
 * The name of the delivery id among an object's metadata, which shows whether an object comes from an interrupted
 * delivery of this file. Such names have only letters: Azure takes no hyphen, and nginx drops underscores.
 */
export const DELIVERY_ID = "cdhdelivery";

/** S3 counts at most 2 KB for all metadata; Azure and Google 8 KiB. */
const METADATA_MAX_CHARACTERS = 200;

/** Returns the facts as values of short printable ASCII, as a header holds them. */
export function metadataOf({ facts }: DumpLabels): Record<string, string> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [name, headerText(value)]),
  );
}

/** Makes printable ASCII on one line, without blanks at the ends (they would break a signature). */
export function headerText(text: string): string {
  return text
    .replace(/[^\x21-\x7e ]/gu, "_")
    .slice(0, METADATA_MAX_CHARACTERS)
    .trim();
}

/** What a store takes as tags. */
export interface TagRules {
  tagsMax: number;
  keyMax: number;
  valueMax: number;
  /** Matches a character that the store does not take. */
  refused: RegExp;
}

/** S3's and Azure's numbers; the characters differ. */
export const TAG_LIMITS = { tagsMax: 10, keyMax: 128, valueMax: 256 } as const;

/** Returns the tags that a store takes of a dump's. */
export function tagsOf({ tags }: DumpLabels, rules: TagRules): Record<string, string> {
  const taken = Object.entries(tags).map(([key, value]): [string, string] => [
    key.replace(rules.refused, "_").slice(0, rules.keyMax),
    value.replace(rules.refused, "_").slice(0, rules.valueMax),
  ]);
  return Object.fromEntries(taken.slice(0, rules.tagsMax));
}

/** Writes tags as a header has them. Writes a blank as %20, because radosgw reads a + as a plus sign. */
export function tagHeader(tags: Readonly<Record<string, string>>): string {
  return Object.entries(tags)
    .map((pair) => pair.map(encodeURIComponent).join("="))
    .join("&");
}
