// Eleven bugs, each built by two compilers, with and without optimisation, with and without symbols, for two
// processors: two bugs never share an id, and one bug has as few as can be (docs/explaining.md has the table).
import { expect } from "bun:test";
import { explainFile } from "../../../src/reading/explain-file.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { crashInUserMode, crashIntoFile, withCoresIn } from "../../support/core-files.ts";
import { buildCrashes, buildObstacle, type CrashBuild } from "../../support/crash-builds.ts";
import { findProgram, gatedTest, kernelObstacle } from "../../support/gate.ts";

const BUGS = [
  "null_write",
  "double_free",
  "overflow",
  "handler",
  "call_null",
  "divide",
  "past_end",
  "assert",
  "smash",
  "trap",
  "threads",
] as const;
type Bug = (typeof BUGS)[number];

/** With symbols, and the same stripped. */
const BUILDS = {
  "gcc -O0": ["c-O0", "c-O0-stripped"],
  "gcc -O2": ["c-O2", "c-stripped"],
  "clang -O0": ["c-clang-O0", "c-clang-O0-stripped"],
  "clang -O2": ["c-clang-O2", "c-clang-O2-stripped"],
  "musl -O2": ["c-musl-static", "c-musl-stripped"],
  "arm64 gcc -O0": ["c-aarch64-O0", "c-aarch64-O0-stripped"],
  "arm64 gcc -O2": ["c-aarch64", "c-aarch64-stripped"],
  "arm64 clang -O0": ["c-aarch64-clang-O0", "c-aarch64-clang-O0-stripped"],
  "arm64 clang -O2": ["c-aarch64-clang-O2", "c-aarch64-clang-O2-stripped"],
} as const satisfies Record<string, readonly [CrashBuild, CrashBuild]>;

const qemu = findProgram("qemu-aarch64-static");
const isHere = (build: CrashBuild) =>
  buildObstacle(build) === undefined && (!build.includes("aarch64") || qemu !== undefined);

/** What the C library finds itself: musl has no such checks, or ends the program by another signal. */
const FOUND_BY_LIBRARY = new Set<Bug>(["double_free", "smash"]);

interface Crash {
  bug: Bug;
  build: string;
  isStripped: boolean;
  id: string;
}

/** An integer divided by zero is zero on arm64. */
const crashes = (bug: Bug, build: CrashBuild) => bug !== "divide" || !build.includes("aarch64");

async function crash(folder: string, build: CrashBuild, bug: Bug): Promise<string> {
  const command = [await buildCrashes(build), bug];
  return build.includes("aarch64")
    ? crashInUserMode(folder, qemu ?? "", command)
    : crashIntoFile(folder, command);
}

async function crashAll(): Promise<Crash[]> {
  return withFolder(async (folder) => {
    const cores = await withCoresIn(folder, async () => {
      const made: (Omit<Crash, "id"> & { core: string })[] = [];
      for (const [build, pair] of Object.entries(BUILDS))
        for (const [index, variant] of pair.entries())
          for (const bug of BUGS)
            if (isHere(variant) && crashes(bug, variant)) {
              const core = await crash(folder, variant, bug);
              made.push({ bug, build, isStripped: index === 1, core });
            }
      return made;
    });
    const explained: Crash[] = [];
    for (const { core, ...made } of cores)
      explained.push({ ...made, id: (await explainFile(core, {})).fingerprint.bug });
    return explained;
  });
}

gatedTest(
  "two bugs never share an id, and builds of one bug with symbols do",
  [kernelObstacle(), buildObstacle("c-O0")],
  async () => {
    const made = await crashAll();
    console.log(tableOf(made));
    for (const [id, crashesOfId] of Map.groupBy(made, (one) => one.id))
      expect([id, ...new Set(crashesOfId.map(({ bug }) => bug))]).toHaveLength(2);
    for (const [bug, crashesOfBug] of Map.groupBy(made, (one) => one.bug)) {
      const withSymbols = crashesOfBug.filter(({ isStripped }) => !isStripped);
      const most = FOUND_BY_LIBRARY.has(bug) ? 2 : 1;
      expect(new Set(withSymbols.map(({ id }) => id)).size).toBeLessThanOrEqual(most);
      const ids = new Set(crashesOfBug.map(({ id }) => id));
      const stripped = crashesOfBug.filter(({ isStripped }) => isStripped);
      // Without symbols a function is where it begins in its build, which no other build shares.
      expect(ids.size).toBeLessThanOrEqual(most + stripped.length);
    }
  },
);

/** Crashes with the same letter in a row share an id. */
function tableOf(made: readonly Crash[]): string {
  const rows = [...Map.groupBy(made, ({ bug }) => bug)].map(([bug, ofBug]) => {
    const ids = [...new Set(ofBug.map(({ id }) => id))];
    const cells = Object.keys(BUILDS).flatMap((build) =>
      [false, true].map((isStripped) => {
        const found = ofBug.find((one) => one.build === build && one.isStripped === isStripped);
        return found === undefined ? "–" : String.fromCodePoint(65 + ids.indexOf(found.id));
      }),
    );
    return `| ${[bug, ...cells, ids.length].join(" | ")} |`;
  });
  return [`| bug | ${Object.keys(BUILDS).join(" | stripped | ")} | stripped | ids |`, ...rows].join(
    "\n",
  );
}
