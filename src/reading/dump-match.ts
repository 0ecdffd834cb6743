// How a person names one of many dumps: by its file or key, the beginning or any part of that, its process's pid or
// executable, or as the newest. Pure.
import { basename } from "node:path";
import { AppError } from "../model/app-error.ts";
import { parseOrdinal } from "../model/dump-ordinal.ts";
import { nearestWord } from "../model/nearest-word.ts";
import type { ListedDump } from "./list.ts";
import { shortTime } from "./list-table.ts";

/** How many dumps a message about a word of several meanings lists. */
const CANDIDATES_SHOWN = 5;

/**
 * Returns the dump that a word means among dumps in the order of their crashes; undefined where it means none. Of the
 * dumps of one pid or executable it is the newest. Throws AppError "usage" that lists them where a part of a name is
 * that of several.
 */
export function matchDump(word: string, dumps: readonly ListedDump[]): ListedDump | undefined {
  const age = parseOrdinal(word);
  if (age !== undefined) return dumps.at(-1 - age);
  const names = (dump: ListedDump) => [dump.key, basename(dump.key)];
  const exact = dumps.filter((dump) =>
    names(dump).some((name) => name === word || name === `${word}.zip`),
  );
  if (exact.length > 0) return unique(word, exact);
  const ofProcess = /^\d+$/.test(word) && dumps.findLast(({ real_pid }) => real_pid === word);
  const ofProgram = dumps.findLast(({ exe }) => exe === word);
  const newest = ofProcess || ofProgram;
  if (newest) return newest;
  const beginning = dumps.filter((dump) => names(dump).some((name) => name.startsWith(word)));
  if (beginning.length > 0) return unique(word, beginning);
  const holding = dumps.filter(({ key }) => key.includes(word));
  return holding.length > 0 ? unique(word, holding) : undefined;
}

function unique(word: string, found: readonly ListedDump[]): ListedDump | undefined {
  if (found.length === 1) return found[0];
  const shown = found
    .toReversed()
    .slice(0, CANDIDATES_SHOWN)
    .map(({ key, time, title }) =>
      [shortTime(time), key, ...(title === null ? [] : [title])].join("  "),
    );
  const left = found.length - shown.length;
  // What cannot be read has no program and no pid, by which it could have been told from others.
  if (found.every(({ state }) => state === "unreadable"))
    throw new AppError("host", `this user may not read the dumps of ${JSON.stringify(word)}`, {
      hint: "root may",
    });
  throw new AppError("usage", `${JSON.stringify(word)} is a part of ${found.length} dumps' names`, {
    faults: [...shown, ...(left > 0 ? [`and ${left} older ones`] : [])],
  });
}

/** Returns what a person may have meant by a word that names no dump; undefined where nothing is near. */
export function nearestDumpName(word: string, dumps: readonly ListedDump[]): string | undefined {
  const known = dumps.flatMap(({ key, exe, real_pid }) => [
    exe,
    basename(key),
    ...(real_pid === null ? [] : [real_pid]),
  ]);
  return nearestWord(word, [...new Set(known)]);
}
