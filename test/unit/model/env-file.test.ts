import { expect, test } from "bun:test";
import { formatEnvFile, parseEnvFile } from "../../../src/model/env-file.ts";

const AWKWARD = [
  "",
  " ",
  "plain",
  "with blanks inside",
  "#no comment",
  "a # b",
  "a=b=c",
  "it's",
  'say "hello"',
  "`x`",
  `it's "both"`,
  "back\\slash \\n \\t",
  "$HOME ${HOME} $(id)",
  "{uuid}-{{podname}}",
  "日本語 \u202e",
  "export A=1",
  "'quoted'",
  '"quoted"',
  'a\\b"',
];

test("every value comes back as it went in", () => {
  for (const value of AWKWARD) {
    const values = { BEFORE: "1", VALUE: value, AFTER: "2" };
    expect(parseEnvFile(formatEnvFile(values))).toEqual(values);
  }
});

test("any mixture of awkward characters comes back, or is refused when it is written", () => {
  const characters = ["a", " ", "'", '"', "`", "\\", "n", "$", "{", "#", "=", "\t"];
  const pick = () => characters[Math.floor(Math.random() * characters.length)] ?? "";
  let written = 0;
  for (let round = 0; round < 5000; round++) {
    const value = Array.from({ length: 1 + (round % 8) }, pick).join("");
    const values = { BEFORE: "1", VALUE: value, AFTER: "2" };
    let file: string;
    try {
      file = formatEnvFile(values);
    } catch (error) {
      expect(String(error)).toContain("cannot be written to a .env file");
      continue;
    }
    written++;
    expect(parseEnvFile(file)).toEqual(values);
  }
  expect(written).toBeGreaterThan(1000);
});

test("what needs no quotes has none, for scripts that look for a line", () => {
  const values = { A: 1, IGNORE_CRIO: false, D: "/var/mnt/cores", T: "{uuid}-{pid}", E: "" };
  expect(formatEnvFile(values)).toBe(
    "A=1\nIGNORE_CRIO=false\nD=/var/mnt/cores\nT={uuid}-{pid}\nE=\n",
  );
  expect(formatEnvFile({ A: "two words", B: "a#b" })).toBe('A="two words"\nB="a#b"\n');
});

test("a value of two lines, of all three quotes, or with a backslash at its end is refused, not changed", () => {
  for (const value of ["a\nB=1", "a\rB=1", "'\"`", "ends in \\"])
    expect(() => formatEnvFile({ A: value })).toThrow("cannot be written");
});

test("a file that people wrote by hand is read", () => {
  const file = "# ours\n\nA = 1\nexport B='2'\nC=three # words\nnonsense\n=x\nD=\r\nE=5\r\n";
  expect(parseEnvFile(file)).toMatchObject({ A: "1", B: "2", C: "three", D: "", E: "5" });
});

test("garbage is no setting, and cannot change what an object is", () => {
  const noise = Array.from({ length: 20_000 }, (_, i) => String.fromCharCode((i * 7919) % 65_536));
  expect(() => parseEnvFile(noise.join(""))).not.toThrow();
  const parsed = parseEnvFile("__proto__=1\nconstructor=2\nA=3\n");
  expect(parsed["A"]).toBe("3");
  expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
  expect(parsed["LOG_LEVEL"]).toBeUndefined();
});
