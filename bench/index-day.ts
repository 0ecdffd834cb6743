// A day of a large fleet as its index sees it: 10,000 nodes, 100,000 crashes of 500 bugs, one bug that takes all nodes
// within a minute, and clocks that are wrong. Counts requests and their cost, how evenly they fall, and how long names
// are. No store: `bun bench/index-day.ts [NODES [CRASHES [BUGS]]]`. Figures go to docs/performance.md.
import { dayOf, formatIndexKey, parseIndexKey } from "../src/model/crash-index.ts";
import { manyCrashes } from "../test/support/many-crashes.ts";
import { formatTable } from "./figures.ts";

const [, , NODES = "10000", CRASHES = "100000", BUGS = "500"] = process.argv;
const DAY_SECONDS = 86_400;
const endSeconds = Math.floor(Date.parse("2026-11-25T23:59:59Z") / 1000);
/** One node in a hundred has a clock that is wrong by up to this. */
const SKEW_SECONDS = 6 * 3600;
/** AWS S3, us-east-1: dollars for a thousand. */
const [PUT_COST, LIST_COST, GET_COST] = [0.005, 0.005, 0.0004];

const fleet = {
  crashes: Number(CRASHES),
  bugs: Number(BUGS),
  days: 1,
  nodes: Number(NODES),
  endSeconds,
};
const perSecond = new Map<number, number>();
const perFolder = new Map<string, number>();
const perDay = new Map<string, number>();
const lengths: number[] = [];
let lost = 0;

function write(key: string, second: number): void {
  lengths.push(key.length);
  perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
  const [, , day = "", bug = ""] = key.split("/");
  perDay.set(day, (perDay.get(day) ?? 0) + 1);
  perFolder.set(`${day}/${bug}`, (perFolder.get(`${day}/${bug}`) ?? 0) + 1);
}

const everywhere = [...manyCrashes({ ...fleet, crashes: 1, bugs: 1 })][0];
if (everywhere === undefined) throw new Error("there is one");
for (let node = 0; node < fleet.nodes; node++) {
  const second = endSeconds - DAY_SECONDS / 2 + (node % 60);
  const crash = {
    ...everywhere,
    timeSeconds: second,
    node: `node-${node}`,
    key: `all-${node}.zip`,
  };
  write(formatIndexKey("index/", crash), second);
}
for (const [index, crash] of [...manyCrashes(fleet)].entries()) {
  const skew = index % 100 === 0 ? Math.round(Math.sin(index) * SKEW_SECONDS) : 0;
  const told = { ...crash, timeSeconds: crash.timeSeconds + skew };
  const key = formatIndexKey("index/", told);
  if (!Bun.deepEquals(parseIndexKey("index/", key), told)) lost++;
  write(key, crash.timeSeconds);
}

const total = fleet.crashes + fleet.nodes;
const sorted = (values: Iterable<number>) => [...values].sort((a, b) => a - b);
const at = (values: readonly number[], share: number) =>
  values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
const seconds = sorted(perSecond.values());
const folders = sorted(perFolder.values());
const sizes = sorted(lengths);
const lists = Math.ceil(total / 1000);
const today = perDay.get(dayOf(endSeconds)) ?? 0;
const dollars = (requests: number, cost: number) => `$${((requests / 1000) * cost).toFixed(3)}`;

console.log(`\n### ${NODES} nodes, ${total} crashes of ${BUGS} bugs in a day\n`);
console.log(
  formatTable(
    ["", ""],
    [
      ["writes for the index", `${total}, ${dollars(total, PUT_COST)}`],
      ["reading the day by its index", `${lists} LIST, ${dollars(lists, LIST_COST)}`],
      ["reading it without", `${lists} LIST and ${total} GET, ${dollars(total, GET_COST)}`],
      ["writes a second: median, most", `${at(seconds, 0.5)}, ${seconds.at(-1)}`],
      ["crashes in a bug's folder: median, most", `${at(folders, 0.5)}, ${folders.at(-1)}`],
      ["most writes a second into one folder", String(Math.ceil(fleet.nodes / 60))],
      [
        "name in bytes: median, 99 %, most",
        `${at(sizes, 0.5)}, ${at(sizes, 0.99)}, ${sizes.at(-1)}`,
      ],
      ["crashes that a wrong clock put into another day", String(total - today)],
      ["crashes that do not read as they were written", String(lost)],
    ],
  ),
);
