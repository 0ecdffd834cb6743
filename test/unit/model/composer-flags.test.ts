import { expect, test } from "bun:test";
import { COMPOSER_HELP } from "../../../src/composer/flags-help.ts";
import { parseCommandLine } from "../../../src/composer/command-line.ts";
import {
  COMPOSER_FLAGS,
  flagOf,
  formatFlag,
  type ComposerFlag,
  type FlagName,
} from "../../../src/model/composer-flags.ts";
import { planCorePattern } from "../../../src/model/core-pattern.ts";

const FLAGS = Object.entries(COMPOSER_FLAGS) as [FlagName, ComposerFlag][];

test("a letter and a name mean one flag each", () => {
  expect(new Set(FLAGS.map(([, { letter }]) => letter)).size).toBe(FLAGS.length);
  for (const [name, { letter }] of FLAGS)
    expect([flagOf(name), flagOf(letter)]).toEqual([name, name]);
  for (const word of ["", "x", "constructor", "__proto__"]) expect(flagOf(word)).toBeUndefined();
});

test("the kernel fills in every flag that has a specifier, what the process chooses last", () => {
  const pattern = planCorePattern("/h", "/h/cores");
  for (const [name, { letter, specifier }] of FLAGS)
    if (specifier !== undefined)
      expect([name, pattern]).toEqual([name, expect.stringContaining(` -${letter}=%${specifier}`)]);
  const own = FLAGS.filter(([, { itsOwn }]) => itsOwn === true).map(([, { letter }]) => letter);
  const order = [...pattern.matchAll(/ -(\w)=/g)].map(([, letter = ""]) => letter);
  expect(order.slice(-own.length).toSorted()).toEqual(own.toSorted());
});

test("what is written for a flag is understood, and explained by --help", () => {
  for (const [name, { letter, specifier }] of FLAGS) {
    expect(parseCommandLine([formatFlag(name, "1")], 0).complaints).toEqual([]);
    expect(COMPOSER_HELP).toContain(
      `-${letter} --${name}${specifier === undefined ? "" : ` %${specifier}`}`,
    );
  }
});
