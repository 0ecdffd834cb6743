// Finds the known word that a person may have meant by an unknown one.

/** The most edits between two related words; half of the word's length is another limit. */
const MOST_EDITS = 2;

/**
 * Returns the known word with the fewest edits (a letter added, removed or changed, or two exchanged); undefined where
 * none is near.
 */
export function nearestWord(typed: string, known: readonly string[]): string | undefined {
  const most = Math.min(MOST_EDITS, Math.floor(typed.length / 2));
  const ranked = known
    .map((word) => ({ word, edits: countEdits(typed.slice(0, 64), word) }))
    .filter(({ edits }) => edits <= most)
    .toSorted((a, b) => a.edits - b.edits);
  return ranked[0]?.word;
}

/** Returns the optimal string alignment distance. */
function countEdits(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1;
      const exchanged = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      rows[i]?.push(
        Math.min(
          at(i - 1, j) + 1,
          at(i, j - 1) + 1,
          at(i - 1, j - 1) + changed,
          exchanged ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
  }
  return at(a.length, b.length);
}
