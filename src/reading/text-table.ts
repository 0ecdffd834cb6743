// A table of text for people: columns as wide as their widest cell, one of them as wide as the terminal leaves room for.
import { oneLine } from "../model/printable.ts";

/** The longest cell, so that one row cannot widen the column of all. */
const CELL_MAX_CHARACTERS = 100;
/** The least room for the column that gives way. */
const ELASTIC_MIN_CHARACTERS = 24;
const GAP = "  ";

/** How a table is laid out; columns are named by their places. */
export interface TableLayout {
  head: readonly string[];
  /** Whether the head is shown; it is by default. */
  heading?: boolean;
  /** The column that is cut where the lines are longer than the terminal. */
  elastic: number;
  /** The column whose cells are never cut, because people copy them. */
  whole?: number;
  /** Columns that are not shown at all. */
  hidden?: readonly number[];
  /** Columns that are left out of a narrow terminal, the least important first. */
  droppable?: readonly number[];
  /** The terminal's width; undefined where the output is no terminal. */
  columns: number | undefined;
}

/** Writes the head and the rows. No text in a cell reaches beyond its line. */
export function formatTable(rows: readonly (readonly string[])[], layout: TableLayout): string {
  const { head, heading = true, whole } = layout;
  const lines = [head, ...rows].map((row) =>
    row.map((cell, column) =>
      column === whole ? oneLine(cell) : cut(oneLine(cell), CELL_MAX_CHARACTERS),
    ),
  );
  const widths = head.map((_, column) => Math.max(...lines.map((row) => row[column]?.length ?? 0)));
  const shown = shownColumns(widths, layout);
  widths[layout.elastic] = elasticWidth(widths, shown, layout);
  return lines
    .slice(heading ? 0 : 1)
    .map((row) =>
      shown
        .map((column) => cut(row[column] ?? "", widths[column] ?? 0).padEnd(widths[column] ?? 0))
        .join(GAP)
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

/** Returns the columns that fit, in their order. */
function shownColumns(widths: readonly number[], layout: TableLayout): number[] {
  const { elastic, hidden = [], droppable = [], columns } = layout;
  let shown = widths.map((_, column) => column).filter((column) => !hidden.includes(column));
  if (columns === undefined) return shown;
  const least = (column: number) =>
    Math.min(widths[column] ?? 0, column === elastic ? ELASTIC_MIN_CHARACTERS : Infinity);
  for (const drop of droppable) {
    const needed = shown.reduce((sum, column) => sum + least(column) + GAP.length, -GAP.length);
    if (needed <= columns) break;
    shown = shown.filter((column) => column !== drop);
  }
  return shown;
}

function elasticWidth(
  widths: readonly number[],
  shown: readonly number[],
  { elastic, columns }: TableLayout,
): number {
  const wanted = widths[elastic] ?? 0;
  if (columns === undefined || !shown.includes(elastic)) return wanted;
  const others = shown
    .filter((column) => column !== elastic)
    .reduce((sum, column) => sum + (widths[column] ?? 0) + GAP.length, 0);
  return Math.min(wanted, Math.max(ELASTIC_MIN_CHARACTERS, columns - others));
}

function cut(text: string, maxCharacters: number): string {
  return text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters - 1)}…`;
}
