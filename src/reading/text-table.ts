// A table of text for people: columns as wide as their widest cell, one of them as wide as the terminal leaves room for.
import { oneLine } from "../model/printable.ts";

/** The longest cell, so that one row cannot widen the column of all. */
const CELL_MAX_CHARACTERS = 100;
/** The least room for the column that gives way. */
const ELASTIC_MIN_CHARACTERS = 32;
const GAP = "  ";

/** How a table is laid out. */
export interface TableLayout {
  head: readonly string[];
  /** The column that gives way where the lines are longer than the terminal. */
  elastic: number;
  /** The column whose cells are never cut, because people copy them. */
  whole?: number;
  /** The terminal's width; undefined where the output is no terminal. */
  columns: number | undefined;
}

/** Writes the head and the rows. No text in a cell reaches beyond its line. */
export function formatTable(rows: readonly (readonly string[])[], layout: TableLayout): string {
  const { head, elastic, whole } = layout;
  const lines = [head, ...rows].map((row) =>
    row.map((cell, column) =>
      column === whole ? oneLine(cell) : cut(oneLine(cell), CELL_MAX_CHARACTERS),
    ),
  );
  const widths = head.map((_, column) => Math.max(...lines.map((row) => row[column]?.length ?? 0)));
  widths[elastic] = elasticWidth(widths, layout);
  return lines
    .map((row) =>
      row
        .map((cell, column) => cut(cell, widths[column] ?? 0).padEnd(widths[column] ?? 0))
        .join(GAP)
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

function elasticWidth(widths: readonly number[], { elastic, columns }: TableLayout): number {
  const wanted = widths[elastic] ?? 0;
  if (columns === undefined) return wanted;
  const others = widths.reduce((sum, width) => sum + width + GAP.length, 0) - wanted - GAP.length;
  return Math.min(wanted, Math.max(ELASTIC_MIN_CHARACTERS, columns - others));
}

function cut(text: string, maxCharacters: number): string {
  return text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters - 1)}…`;
}
