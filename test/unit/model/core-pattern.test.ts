import { expect, test } from "bun:test";
import { AppError } from "../../../src/model/app-error.ts";
import {
  PATTERN_MAX_LENGTH,
  isOurPattern,
  planCorePattern,
} from "../../../src/model/core-pattern.ts";

const HOST_DIR = "/var/mnt/core-dump-handler";
const LONGEST = "/".padEnd(45, "h");

test("the default folders fit into what the kernel keeps, with every specifier", () => {
  const pattern = planCorePattern(HOST_DIR, `${HOST_DIR}/cores`);
  expect(pattern.length).toBeLessThanOrEqual(PATTERN_MAX_LENGTH);
  expect(pattern).toStartWith(`|${HOST_DIR}/cdc `);
  for (const specifier of "PIpstcugdFheE") expect(pattern).toContain(`=%${specifier}`);
});

test("what the crashing process can choose comes after all the rest", () => {
  const names = planCorePattern("/h", "/c")
    .split(" ")
    .map((argument) => argument.split("=")[0]);
  expect(names.slice(-3)).toEqual(["-h", "-e", "-E"]);
  expect(names[1]).toBe("-d");
});

test("CORE_DIR is named relative to HOST_DIR where it is below it", () => {
  expect(planCorePattern("/h", "/h/cores")).toContain(" -d=cores ");
  expect(planCorePattern("/h", "/hcores")).toContain(" -d=/hcores ");
});

test("a CORE_DIR that the line has no room for, or would split, is left to .env", () => {
  for (const coreDir of ["/mnt/a folder", "/mnt/100%", "/mnt/".padEnd(100, "x")])
    expect(planCorePattern("/h", coreDir)).not.toContain("-d=");
});

test("no pattern is ever longer than the kernel keeps, up to the longest HOST_DIR that fits", () => {
  let accepted = 0;
  for (let length = 2; length <= LONGEST.length * 2; length++) {
    const hostDir = "/".padEnd(length, "h");
    const plan = () => planCorePattern(hostDir, `${hostDir}/cores`);
    try {
      expect(plan().length).toBeLessThanOrEqual(PATTERN_MAX_LENGTH);
      expect(accepted).toBe(length - 2);
      accepted++;
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
    }
  }
  // The message says how long it may be, and that much is accepted.
  expect(() => planCorePattern("/".padEnd(accepted + 2, "h"), "/c")).toThrow();
  expect(accepted + 1).toBeGreaterThanOrEqual(HOST_DIR.length);
});

test.each(["/a b", "/a\tb", "/a%p"])("%p cannot stand in a pattern", (hostDir) => {
  expect(() => planCorePattern(hostDir, "/c")).toThrow("blank or a % sign");
});

test("our pattern is told from others by its program alone", () => {
  expect(isOurPattern(`|${HOST_DIR}/cdc -c=%c -e=%e\n`, HOST_DIR)).toBe(true);
  expect(isOurPattern(`|${HOST_DIR}/cdc`, HOST_DIR)).toBe(true);
  for (const other of [
    "core",
    "",
    `${HOST_DIR}/cdc`,
    `|${HOST_DIR}/cdcx -p=%p`,
    `|/usr/lib/systemd/systemd-coredump ${HOST_DIR}/cdc`,
  ])
    expect(isOurPattern(other, HOST_DIR)).toBe(false);
});
