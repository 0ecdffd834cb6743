// The words for a dump by its age: `latest` is the newest, `latest~2` the third newest; -1 and -3 on a command line, as
// coredumpctl has -1.

/** Returns how many dumps are newer than the one that is meant; undefined for any other word. */
export function parseOrdinal(word: string): number | undefined {
  const match = /^latest(?:~(\d{1,4}))?$/.exec(word);
  return match === null ? undefined : Number(match[1] ?? 0);
}

/** Returns the word for `-N`; any other argument unchanged. */
export function spellOrdinal(argument: string): string {
  const count = /^-([1-9]\d{0,3})$/.exec(argument)?.[1];
  if (count === undefined) return argument;
  return count === "1" ? "latest" : `latest~${Number(count) - 1}`;
}
