// The programs of test/fixtures/explain, each built in several ways on first use.
import { mkdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { findProgram, missingProgram } from "./gate.ts";
import { runTool } from "./run-tool.ts";

export const EXPLAIN_SOURCES = join(import.meta.dir, "../fixtures/explain");
const BUILT = join(import.meta.dir, "../../out/explain");

interface Build {
  source: string;
  compiler: string;
  /** Another program that the compiler needs: the cross compiler whose linker and libraries it takes. */
  needs?: string;
  /** What follows the compiler, with the output's path in place of OUT and the source's in place of SOURCE. */
  arguments: string[];
}

const C = (compiler: string, ...flags: string[]): Build => ({
  source: "crashes.c",
  compiler,
  arguments: [...flags, "-fstack-protector-strong", "-pthread", "-w", "-o", "OUT", "SOURCE"],
});

const ARM = { gcc: "aarch64-linux-gnu-gcc", clang: "--target=aarch64-linux-gnu" };
/** Static: QEMU's user mode then needs no libraries. */
const armGcc = (...flags: string[]): Build => C(ARM.gcc, "-static", ...flags);
const armClang = (...flags: string[]): Build => ({
  ...C("clang", ARM.clang, "-static", ...flags),
  needs: ARM.gcc,
});

const BUILDS = {
  "c-O0": C("gcc", "-O0", "-g"),
  "c-O2": C("gcc", "-O2"),
  "c-stripped": C("gcc", "-O2", "-s"),
  "c-static": C("gcc", "-O2", "-static"),
  "c-musl": C("musl-gcc", "-O2"),
  "c-musl-static": C("musl-gcc", "-O2", "-static"),
  "c-O0-stripped": C("gcc", "-O0", "-s"),
  "c-musl-stripped": C("musl-gcc", "-O2", "-static", "-s"),
  "c-clang-O0": C("clang", "-O0"),
  "c-clang-O0-stripped": C("clang", "-O0", "-s"),
  "c-clang-O2": C("clang", "-O2"),
  "c-clang-O2-stripped": C("clang", "-O2", "-s"),
  "c-aarch64": armGcc("-O2"),
  "c-aarch64-stripped": armGcc("-O2", "-s"),
  "c-aarch64-O0": armGcc("-O0"),
  "c-aarch64-O0-stripped": armGcc("-O0", "-s"),
  "c-aarch64-clang-O0": armClang("-O0"),
  "c-aarch64-clang-O0-stripped": armClang("-O0", "-s"),
  "c-aarch64-clang-O2": armClang("-O2"),
  "c-aarch64-clang-O2-stripped": armClang("-O2", "-s"),
  "c-aarch64-dynamic": C(ARM.gcc, "-O0", "-g"),
  aborts: {
    source: "aborts.c",
    compiler: "gcc",
    arguments: [
      "-O2",
      "-D_FORTIFY_SOURCE=2",
      "-fstack-protector-strong",
      "-w",
      "-o",
      "OUT",
      "SOURCE",
    ],
  },
  "aborts-static": {
    source: "aborts.c",
    compiler: "gcc",
    arguments: [
      ..."-O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -w -static".split(" "),
      "-o",
      "OUT",
      "SOURCE",
    ],
  },
  "cc-O0": {
    source: "crashes.cc",
    compiler: "g++",
    arguments: ["-O0", "-g", "-pthread", "-o", "OUT", "SOURCE"],
  },
  "cc-O2": {
    source: "crashes.cc",
    compiler: "g++",
    arguments: ["-O2", "-pthread", "-o", "OUT", "SOURCE"],
  },
  rust: {
    source: "crashes.rs",
    compiler: "rustc",
    arguments: ["-C", "panic=abort", "-o", "OUT", "SOURCE"],
  },
  "rust-v0": {
    source: "crashes.rs",
    compiler: "rustc",
    arguments: [
      "-O",
      "-C",
      "panic=abort",
      "-C",
      "symbol-mangling-version=v0",
      "-o",
      "OUT",
      "SOURCE",
    ],
  },
  go: { source: "go", compiler: "go", arguments: ["build", "-C", "SOURCE", "-o", "OUT", "."] },
  "go-aarch64": {
    source: "go",
    compiler: "env",
    needs: "go",
    arguments: ["GOARCH=arm64", "CGO_ENABLED=0", "go", "build", "-C", "SOURCE", "-o", "OUT", "."],
  },
  "go-stripped": {
    source: "go",
    compiler: "go",
    arguments: ["build", "-C", "SOURCE", "-ldflags=-s -w", "-o", "OUT", "."],
  },
} as const satisfies Record<string, Build>;

export type CrashBuild = keyof typeof BUILDS;

/** Why it cannot be built here, or undefined. */
export function buildObstacle(build: CrashBuild): string | undefined {
  const { compiler, needs }: Build = BUILDS[build];
  return missingProgram(compiler) ?? (needs === undefined ? undefined : missingProgram(needs));
}

const building = new Map<CrashBuild, Promise<string>>();

/** The program's path: a folder of its own for each build, where it is called "crashes". */
export function buildCrashes(build: CrashBuild): Promise<string> {
  const built = building.get(build) ?? buildIfStale(build);
  building.set(build, built);
  return built;
}

async function buildIfStale(build: CrashBuild): Promise<string> {
  const { source, compiler, arguments: words } = BUILDS[build];
  const path = join(EXPLAIN_SOURCES, source);
  const folder = join(BUILT, build);
  const program = join(folder, "crashes");
  const newest = source === "go" ? join(path, "main.go") : path;
  if ((await modifiedMs(program)) > (await modifiedMs(newest))) return program;
  await mkdir(folder, { recursive: true });
  // Another test process may be building at the same time.
  const unfinished = `${program}.${process.pid}`;
  const command = words.map((word) =>
    word === "OUT" ? unfinished : word === "SOURCE" ? path : word,
  );
  await runTool([findProgram(compiler) ?? compiler, ...command]);
  await rename(unfinished, program);
  return program;
}

async function modifiedMs(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? -1;
}
