import { expect, test } from "bun:test";
import type { SummaryArea } from "../../../src/model/crash-summary.ts";
import { memoryRows, type Marker } from "../../../src/report/memory-rows.ts";

const AREAS: SummaryArea[] = [
  { start: "0x1000", end: "0x2000", kind: "program", name: "/bin/app" },
  { start: "0x3000", end: "0x4000", kind: "library", name: "/lib/a.so" },
  { start: "0x4000", end: "0x5000", kind: "library", name: "/lib/b.so" },
  { start: "0x5000", end: "0x6000", kind: "library", name: "/lib/c.so" },
  { start: "0x7000", end: "0x9000", kind: "stack", name: "thread 7" },
];

const marker = (address: bigint): Marker => ({ label: "address", short: "a", address });
const shown = (...markers: Marker[]) =>
  memoryRows(AREAS, markers, 20).map(({ kind, count, markers: { length } }) => [
    kind,
    count,
    length,
  ]);

test("neighbours of one kind are one row", () => {
  expect(shown()).toEqual([
    ["program", 1, 0],
    ["library", 3, 0],
    ["stack", 1, 0],
  ]);
});

test("an area with an address that matters has a row of its own", () => {
  expect(shown(marker(0x4800n))).toEqual([
    ["program", 1, 0],
    ["library", 1, 0],
    ["library", 1, 1],
    ["library", 1, 0],
    ["stack", 1, 0],
  ]);
});

test("an address in no area is a hole where it lies", () => {
  expect(shown(marker(0x2800n)).map(([kind]) => kind)).toEqual([
    "program",
    "hole",
    "library",
    "stack",
  ]);
  expect(shown(marker(0x10n)).map(([kind]) => kind)).toEqual([
    "hole",
    "program",
    "library",
    "stack",
  ]);
});

test("of many rows those with an address stay, and areas that are none are left out", () => {
  const many = Array.from({ length: 100 }, (_, index): SummaryArea => ({
    start: `0x${(index * 0x10000).toString(16)}`,
    end: `0x${(index * 0x10000 + 0x1000).toString(16)}`,
    kind: index % 2 === 0 ? "library" : "anonymous",
    name: null,
  }));
  const odd: SummaryArea[] = [
    { start: "0x5", end: "0x1", kind: "heap", name: null },
    { start: "<b>", end: "0x1", kind: "heap", name: null },
  ];
  const rows = memoryRows([...odd, ...many], [marker(0x500100n), marker(0x500f00n)], 10);
  expect(rows).toHaveLength(10);
  expect(rows.filter(({ markers }) => markers.length === 2)).toHaveLength(1);
  expect(rows.some(({ kind }) => kind === "heap")).toBe(false);
});
