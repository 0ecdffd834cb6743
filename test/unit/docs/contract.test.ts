// docs/contract.md names every command, every flag of the composer, and every file of the zip, and no other.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { COMMAND_NAMES } from "../../../src/command/table.ts";
import { COMPOSER_FLAGS } from "../../../src/model/composer-flags.ts";
import * as entries from "../../../src/model/dump-entries.ts";

const PAGE = readFileSync(join(import.meta.dir, "../../../docs/contract.md"), "utf8");

/** The text of a section, by its number. */
function section(number: number): string {
  return PAGE.split(new RegExp(`\n## ${number}\\. .*\n`))[1]?.split("\n## ")[0] ?? "";
}

/** The first word of everything between back-quotes in these rows of section 1. */
function wordsInRows(...names: string[]): string[] {
  const rows = section(1)
    .split("\n")
    .filter((row) => names.some((name) => row.startsWith(`| ${name} `)));
  return rows.flatMap((row) => [...row.matchAll(/`([a-z-]+)[^`]*`/g)].map(([, word = ""]) => word));
}

/** How the page writes each entry that src/model/dump-entries.ts has a name for: T is the dump's, N a container's. */
function entryForms(): string[] {
  return Object.entries(entries).flatMap(([name, value]) => {
    if (typeof value === "string") return [`T${value}`];
    if (typeof value !== "function" || name.startsWith("is")) return [];
    // What names a container's files takes its number.
    return [`T${(value as (container: number | string) => string)("N")}`];
  });
}

test("every command is named, and no other", () => {
  const named = wordsInRows("host commands", "dump commands", "our own");
  // Both have rows that tell more.
  expect([...named, "agent", "composer"].sort()).toEqual([...COMMAND_NAMES].sort());
});

test("every flag of the composer is named by its letter and its word, and no other", () => {
  const named = [...section(2).matchAll(/`-([A-Za-z])\/--([a-z-]+)`/g)];
  expect(named.map(([, letter, word]) => `${letter} ${word}`).sort()).toEqual(
    Object.entries(COMPOSER_FLAGS)
      .map(([word, { letter }]) => `${letter} ${word}`)
      .sort(),
  );
});

test("every file of the zip is named, and no other", () => {
  const named = [...section(6).matchAll(/`(T[-.][^`/{]*)/g)].map(([, form = ""]) => form);
  expect([...new Set(named)].sort()).toEqual(entryForms().sort());
});
