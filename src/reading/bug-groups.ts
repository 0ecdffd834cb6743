// `list --by bug`: the dumps of each bug as one line, the bug with most dumps first. Dumps without a summary, whose bug
// nobody knows, are one line at the end.
import type { ListedDump } from "./list.ts";
import { shortTime } from "./list-table.ts";
import { formatTable } from "./text-table.ts";

/** The dumps of one bug. */
export interface BugGroup {
  /** null for all dumps whose bug is not known. */
  bug: string | null;
  dumps: number;
  /** How many of them hold a whole core. */
  whole: number;
  first_seen: string;
  last_seen: string;
  /** By name; without those outside of any namespace. */
  namespaces: string[];
  /** The newest dump's. */
  title: string | null;
  /** The newest dump with a whole core, else the newest: the one to look at. */
  key: string;
}

/** Groups dumps, which come in the order of their crashes. */
export function groupByBug(dumps: readonly ListedDump[]): BugGroup[] {
  const groups = Map.groupBy(dumps, ({ bug }) => bug);
  return [...groups]
    .map(([bug, members]) => describe(bug, members))
    .sort(
      (a, b) =>
        Number(a.bug === null) - Number(b.bug === null) ||
        b.dumps - a.dumps ||
        b.last_seen.localeCompare(a.last_seen),
    );
}

function describe(bug: string | null, members: readonly ListedDump[]): BugGroup {
  const whole = members.filter(({ core_complete }) => core_complete === true);
  const newest = members.at(-1);
  const namespaces = new Set(members.flatMap(({ namespace }) => namespace ?? []));
  return {
    bug,
    dumps: members.length,
    whole: whole.length,
    first_seen: members[0]?.time ?? "",
    last_seen: newest?.time ?? "",
    namespaces: [...namespaces].sort(),
    title: bug === null ? null : (newest?.title ?? null),
    key: (whole.at(-1) ?? newest)?.key ?? "",
  };
}

const HEAD = ["BUG", "DUMPS", "WHOLE", "FIRST SEEN", "LAST SEEN", "NAMESPACES", "TITLE"];
/** The namespaces that are named; the others are counted. */
const NAMESPACES_SHOWN = 3;

/** Writes the table for people; columns is the terminal's width, undefined where there is none. */
export function formatBugGroups(
  groups: readonly BugGroup[],
  { columns, heading }: { columns: number | undefined; heading: boolean } = {
    columns: undefined,
    heading: true,
  },
): string {
  const rows = groups.map((group) => [
    group.bug ?? "unknown",
    String(group.dumps),
    String(group.whole),
    shortTime(group.first_seen),
    shortTime(group.last_seen),
    shownNamespaces(group.namespaces),
    group.title || "-",
  ]);
  return formatTable(rows, {
    head: HEAD,
    heading,
    elastic: HEAD.indexOf("TITLE"),
    droppable: ["WHOLE", "FIRST SEEN", "NAMESPACES"].map((name) => HEAD.indexOf(name)),
    columns,
  });
}

function shownNamespaces(namespaces: readonly string[]): string {
  const others = namespaces.length - NAMESPACES_SHOWN;
  const shown = namespaces.slice(0, NAMESPACES_SHOWN).join(",") || "-";
  return others > 0 ? `${shown} and ${others} more` : shown;
}
