import { expect, test } from "bun:test";
import { COMPOSER_SETTINGS, readComposerSettings } from "../../../src/config/composer-settings.ts";
import { formatEnvFile, parseEnvFile } from "../../../src/model/env-file.ts";

/** Section 3 of the contract. */
const ANCESTORS_KEYS = [
  "LOG_LEVEL",
  "IGNORE_CRIO",
  "INCLUDE_PROC_INFO",
  "CRIO_IMAGE_CMD",
  "USE_CRIO_CONF",
  "FILENAME_TEMPLATE",
  "LOG_LENGTH",
  "POD_SELECTOR_LABEL",
  "TIMEOUT",
  "COMPRESSION",
  "CORE_EVENTS",
  "EVENT_DIRECTORY",
];

test("the ancestor's keys stand first, with its defaults", () => {
  expect(Object.keys(COMPOSER_SETTINGS).slice(0, ANCESTORS_KEYS.length)).toEqual(ANCESTORS_KEYS);
  expect(readComposerSettings({}).settings).toMatchObject({
    FILENAME_TEMPLATE: "{uuid}-dump-{timestamp}-{hostname}-{exe_name}-{pid}-{signal}",
    LOG_LENGTH: 500,
    TIMEOUT: 600,
    COMPRESSION: true,
    IGNORE_CRIO: false,
    POD_SELECTOR_LABEL: "",
    MAX_CORE_SIZE: 0,
    CORE_CONTENT: "full",
    FULL_CORE_MAX: 4 * 2 ** 30,
    POD_POLICY: false,
  });
});

test("the defaults, written to a file, are read as they are", () => {
  const { settings } = readComposerSettings({});
  const read = readComposerSettings(parseEnvFile(formatEnvFile(settings)));
  expect(read).toEqual({ settings, complaints: [] });
});

test("COMPRESSION is on, off, or zstd", () => {
  const read = (text: string) => readComposerSettings({ COMPRESSION: text });
  for (const [text, value] of [
    ["yes", true],
    ["FALSE", false],
    ["Zstd", "zstd"],
  ] as const)
    expect([text, read(text).settings.COMPRESSION]).toEqual([text, value]);
  expect(read("lz4").complaints).toEqual([
    { variable: "COMPRESSION", value: "lz4", expected: "one of true, false, zstd" },
  ]);
});

test("a file full of nonsense gives the defaults and one complaint for each key that can be wrong", () => {
  const keys = Object.keys(COMPOSER_SETTINGS);
  const nonsense = Object.fromEntries(keys.map((key) => [key, "\u0001{nonsense}"]));
  const { settings, complaints } = readComposerSettings(nonsense);
  expect(settings).toEqual(readComposerSettings({}).settings);
  expect(complaints.map(({ variable }) => variable)).toEqual(keys);
});
