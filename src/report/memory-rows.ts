// Makes the rows of the memory map: neighbours of one kind become one row, unless an address that matters lies in it;
// such an address outside of all areas gets a row of its own, a hole.
import type { AreaKind, SummaryArea } from "../model/crash-summary.ts";
import { parseAddress } from "./text.ts";

/** An address that a person looks for. */
export interface Marker {
  label: string;
  /** What the picture has room for. */
  short: string;
  address: bigint;
}

/** One row of the picture. */
export interface MapRow {
  kind: AreaKind | "hole";
  name: string | null;
  start: bigint;
  /** The areas' own sizes together; 0 for a hole. */
  sizeBytes: number;
  /** How many areas are in it. */
  count: number;
  markers: Marker[];
}

/** Returns at most `most` rows by address, and always those that have a marker. */
export function memoryRows(
  areas: readonly SummaryArea[],
  markers: readonly Marker[],
  most: number,
): MapRow[] {
  const left = new Set(markers);
  const rows: MapRow[] = [];
  for (const area of areas) {
    const start = parseAddress(area.start);
    const end = parseAddress(area.end);
    if (start === undefined || end === undefined || end <= start) continue;
    const inside = [...left].filter(({ address }) => address >= start && address < end);
    for (const marker of inside) left.delete(marker);
    const last = rows.at(-1);
    const sizeBytes = Number(end - start);
    if (last !== undefined && inside.length === 0 && joins(last, area)) {
      last.count++;
      last.sizeBytes += sizeBytes;
    } else
      rows.push({ kind: area.kind, name: area.name, start, sizeBytes, count: 1, markers: inside });
  }
  for (const marker of left)
    rows.push({
      kind: "hole",
      name: null,
      start: marker.address,
      sizeBytes: 0,
      count: 1,
      markers: [marker],
    });
  return mostTelling(rows, most).sort((a, b) => (a.start < b.start ? -1 : 1));
}

function joins(last: MapRow, { kind }: SummaryArea): boolean {
  const isPlain = kind === "library" || kind === "anonymous" || kind === "stack";
  return isPlain && last.kind === kind && last.markers.length === 0;
}

function mostTelling(rows: MapRow[], most: number): MapRow[] {
  if (rows.length <= most) return rows;
  const rank = ({ markers, kind }: MapRow) =>
    markers.length > 0 ? 0 : kind === "program" || kind === "heap" ? 1 : kind === "stack" ? 2 : 3;
  return rows
    .sort((a, b) => rank(a) - rank(b) || b.sizeBytes - a.sizeBytes)
    .slice(0, Math.max(most, 4));
}
