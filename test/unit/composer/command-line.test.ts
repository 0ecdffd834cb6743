import { expect, test } from "bun:test";
import { parseCommandLine } from "../../../src/composer/command-line.ts";
import { planCorePattern } from "../../../src/model/core-pattern.ts";
import { CRASH_ARGS, sampleCrash } from "../../support/sample-crash.ts";

const NOW = 1_800_000_000;
const parse = (...args: string[]) => parseCommandLine(args, NOW);

const SPECIFIERS: Record<string, string> = {
  P: "4242",
  I: "4243",
  p: "7",
  s: "11",
  t: "1700000000",
  c: "18446744073709551615",
  u: "0",
  g: "0",
  d: "1",
  F: "",
  h: "web-1",
  e: "server",
  E: "!usr!bin!server",
};

/** The arguments that the kernel makes of our pattern (5.3 and later: split first, then expanded). */
function kernelArguments(values: Record<string, string>, splitLast = false): string[] {
  const pattern = planCorePattern("/h", "/h/cores");
  const expand = (text: string) =>
    text.replaceAll(/%(.)/g, (_, letter: string) => values[letter] ?? "");
  const [, ...args] = splitLast
    ? expand(pattern).split(/ +/)
    : pattern.split(" ").map((argument) => expand(argument));
  return args;
}

test("our own pattern is understood, every specifier of it", () => {
  expect(parse(...kernelArguments(SPECIFIERS))).toEqual({
    crash: sampleCrash(),
    coreDir: "cores",
    timeoutSeconds: undefined,
    disableCompression: false,
    complaints: [],
  });
});

test("the ancestor's pattern is understood", () => {
  const { crash, coreDir, complaints } = parse(...CRASH_ARGS, "-d=/cores");
  const unsaid = { hostPid: null, hostTid: null, uid: null, gid: null, dumpable: null };
  expect(crash).toEqual(sampleCrash(unsaid));
  expect({ coreDir, complaints }).toEqual({ coreDir: "/cores", complaints: [] });
});

const LONG_NAMES: Record<string, string> = {
  "-c": "--limit-size",
  "-e": "--exe-name",
  "-p": "--pid",
  "-s": "--signal",
  "-t": "--timestamp",
  "-d": "--dir",
  "-h": "--hostname",
  "-E": "--pathname",
  "-T": "--timeout",
};
const GIVEN = Object.entries({
  "-c": "1",
  "-e": "n",
  "-p": "2",
  "-s": "3",
  "-t": "4",
  "-d": "/d",
  "-h": "h",
  "-E": "x",
  "-T": "5",
});

test.each([
  ["-c=V", [...GIVEN.map(([flag, value]) => `${flag}=${value}`), "-D"]],
  ["-c V", [...GIVEN.flat(), "-D"]],
  [
    "--limit-size=V",
    [...GIVEN.map(([flag, value]) => `${LONG_NAMES[flag]}=${value}`), "--disable-compression"],
  ],
  [
    "--limit-size V",
    [...GIVEN.flatMap(([flag, value]) => [LONG_NAMES[flag] ?? "", value]), "--disable-compression"],
  ],
] as const)("every flag can be given as %s", (_, args) => {
  const { crash, ...rest } = parse(...args);
  expect(crash).toMatchObject({
    limitSize: "1",
    exeName: "n",
    pid: 2,
    signal: 3,
    timestampSeconds: 4,
    hostname: "h",
    pathname: "x",
  });
  expect(rest).toEqual({
    coreDir: "/d",
    timeoutSeconds: 5,
    disableCompression: true,
    complaints: [],
  });
});

test("-D switches compression off, unless it says no", () => {
  for (const on of ["-D", "-D=", "-D=true", "-D=1"])
    expect(parse(on).disableCompression).toBe(true);
  for (const off of ["-D=false", "-D=0", "-D=No", "--disable-compression=off"])
    expect(parse(off).disableCompression).toBe(false);
  expect(parse("-D", "-s=11").crash.signal).toBe(11);
});

test("no arguments at all are a crash of which nothing is known", () => {
  const { crash, complaints } = parse();
  expect(crash).toMatchObject({ pid: null, signal: null, exeName: "", timestampSeconds: NOW });
  expect(complaints).toEqual([]);
});

test("what is wrong is said, and costs only itself", () => {
  const { crash, complaints } = parse(
    "-p=seven",
    "-s=-11",
    "--bogus=1",
    "-",
    "--",
    "",
    "-e=x",
    "-u=1e3",
  );
  expect(crash).toMatchObject({ pid: null, signal: null, uid: null, exeName: "x" });
  expect(complaints).toHaveLength(7);
  expect(complaints).toContainEqual(expect.stringContaining('--pid "seven"'));
});

test("a value that is missing at the end is empty", () => {
  expect(parse("-e").crash.exeName).toBe("");
  expect(parse("-p").crash.pid).toBeNull();
});

test("a value keeps its equal signs, blanks, newlines and dashes", () => {
  for (const name of ["a=b", "x -d=/etc", "a\nb", "-d=/etc", "--dir=/etc", " ", '"'])
    expect(parse(`-e=${name}`)).toMatchObject({
      crash: { exeName: name },
      coreDir: undefined,
      complaints: [],
    });
});

test("a time-stamp that no date can hold is replaced by now", () => {
  for (const given of ["-t=9999999999999999", "-t=soon", "-t="])
    expect(parse(given).crash.timestampSeconds).toBe(NOW);
});

test("a time limit that no timer can hold, or none at all, leaves .env's", () => {
  for (const given of ["-T=0", "-T=99999999", "-T=x", "-T="])
    expect(parse(given).timeoutSeconds).toBeUndefined();
  expect(parse("-T=86400").timeoutSeconds).toBe(86_400);
});

test("before Linux 5.3 a name can be arguments: with our pattern none of them has a say", () => {
  const e = "x -d=/etc -P=1 -p=1 -k=1 -s=9";
  const { crash, coreDir, complaints } = parse(...kernelArguments({ ...SPECIFIERS, e }, true));
  expect(crash).toEqual(sampleCrash({ exeName: "x" }));
  expect(coreDir).toBe("cores");
  expect(complaints).toHaveLength(4);
});

test("with a pattern of another order, a flag that such a name doubles is nobody's word", () => {
  const { crash, coreDir } = parse("-c=0", "-e=x", "-d=/etc", "-p=1", "-p=7", "-s=11", "-d=/cores");
  expect(coreDir).toBe("");
  expect(crash).toMatchObject({ pid: null, signal: 11 });
});

test("a flood of arguments leaves short complaints", () => {
  const { complaints } = parse(
    "y".repeat(100_000),
    `-p=${"z".repeat(100_000)}`,
    "-s=1",
    `-s=${"9".repeat(5000)}`,
  );
  expect(complaints).toHaveLength(3);
  for (const complaint of complaints) expect(complaint.length).toBeLessThan(300);
});
