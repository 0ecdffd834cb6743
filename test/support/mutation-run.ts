// Damaged cores and modules through the whole of src/explain: it must end, with a summary or an AppError.
// `bun test/support/mutation-run.ts ROUNDS [SEED]` runs a campaign and says how long the rounds took.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endOfNotes, parseElfCore } from "../../src/explain/elf-core.ts";
import { explainCore } from "../../src/explain/explain.ts";
import { AppError } from "../../src/model/app-error.ts";
import type { ModuleFiles } from "../../src/model/module-files.ts";
import { bytesOf } from "../../src/model/random-bytes.ts";
import { buildCrashes, type CrashBuild } from "./crash-builds.ts";
import { crashInDebugger } from "./debugged-core.ts";
import { Chance, damaged } from "./mutations.ts";

export interface MutationSeed {
  core: Buffer;
  /** Up to which offset the core's headers and notes go. */
  headBytes: number;
  /** By path: the program, and the C library where it is one of its own. */
  modules: ReadonlyMap<string, Buffer>;
  /** Sections that the walk goes through. */
  sections: readonly string[];
}

export interface MutationReport {
  rounds: number;
  /** Those that ended in an AppError. */
  refused: number;
  /** Of processor time: other processes do not count. */
  slowestMs: number;
  slowestSeed: number;
  /** Rounds that took longer than 5 ms, and than 100. */
  over5Ms: number;
  over100Ms: number;
}

/**
 * A static program, whose call frame information has no search table, and one with a C library of its own, which is
 * found by tables.
 */
export async function makeMutationSeeds(): Promise<MutationSeed[]> {
  return [
    await makeSeed("c-static", "handler", [".eh_frame", ".symtab"]),
    await makeSeed("c-O0", "null_write", [".eh_frame_hdr", ".eh_frame", ".dynsym"]),
  ];
}

async function makeSeed(
  build: CrashBuild,
  kind: string,
  sections: string[],
): Promise<MutationSeed> {
  const program = await buildCrashes(build);
  const folder = mkdtempSync(join(tmpdir(), "core-dump-handler-test-"));
  try {
    const path = join(folder, "core");
    await crashInDebugger([program, kind], path);
    const core = readFileSync(path);
    const mapped = parseElfCore(bytesOf(core)).mappings.map((mapping) => mapping.path);
    const library = mapped.find((name) => name.includes("/libc.so"));
    const modules = new Map([[program, readFileSync(program)]]);
    if (library !== undefined) modules.set(library, readFileSync(library));
    return { core, headBytes: endOfNotes(bytesOf(core)), modules, sections };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Throws what is no AppError, with the round's seed. */
export function runMutations(
  seeds: readonly MutationSeed[],
  rounds: number,
  firstSeed: number,
): MutationReport {
  const report = { rounds, refused: 0, slowestMs: 0, slowestSeed: 0, over5Ms: 0, over100Ms: 0 };
  for (let round = 0; round < rounds; round++) {
    const started = process.cpuUsage();
    try {
      runRound(seeds, new Chance(firstSeed + round));
    } catch (error) {
      if (!(error instanceof AppError))
        throw new Error(`seed ${firstSeed + round}`, { cause: error });
      report.refused++;
    }
    const { user, system } = process.cpuUsage(started);
    const tookMs = (user + system) / 1000;
    if (tookMs > report.slowestMs)
      Object.assign(report, { slowestMs: tookMs, slowestSeed: firstSeed + round });
    if (tookMs > 5) report.over5Ms++;
    if (tookMs > 100) report.over100Ms++;
  }
  return report;
}

function runRound(seeds: readonly MutationSeed[], chance: Chance): void {
  const seed = seeds[chance.below(seeds.length)];
  if (seed === undefined) throw new Error("no seeds");
  const { core, headBytes, modules } = seed;
  const kind = chance.below(4);
  const paths = [...modules.keys()];
  const path = paths[chance.below(paths.length)] ?? "";
  const original = modules.get(path) ?? Buffer.alloc(0);
  const changed = kind === 0 ? original : damagedModule(original, seed, chance, kind);
  const end = chance.below(2) === 0 ? 1024 : headBytes;
  const damagedCore = kind <= 1 ? damaged(core, chance, 0, kind === 0 ? end : core.length) : core;
  const files: ModuleFiles = {
    find(wanted) {
      const bytes = wanted.path === path ? changed : modules.get(wanted.path);
      return [bytes === undefined ? { missing: "not here" } : { bytes: bytesOf(bytes) }];
    },
  };
  const log = damagedCore.toString("latin1", 0, 2000);
  explainCore({ core: bytesOf(damagedCore), modules: files, log });
}

/** Its headers, or what the walk goes through. */
function damagedModule(
  original: Buffer,
  { sections }: MutationSeed,
  chance: Chance,
  kind: number,
): Buffer {
  if (kind === 2) return damaged(original, chance, 64, 1024);
  const { offset, sizeBytes } = sectionOf(original, sections[chance.below(sections.length)] ?? "");
  return damaged(original, chance, offset, offset + sizeBytes);
}

function sectionOf(file: Buffer, wanted: string): { offset: number; sizeBytes: number } {
  const [table, count, names] = [
    Number(file.readBigUInt64LE(40)),
    file.readUInt16LE(60),
    file.readUInt16LE(62),
  ];
  const offsetAt = (index: number) => Number(file.readBigUInt64LE(table + index * 64 + 24));
  for (let index = 0; index < count; index++) {
    const at = offsetAt(names) + file.readUInt32LE(table + index * 64);
    if (file.toString("latin1", at, file.indexOf(0, at)) !== wanted) continue;
    return {
      offset: offsetAt(index),
      sizeBytes: Number(file.readBigUInt64LE(table + index * 64 + 32)),
    };
  }
  throw new Error(`no section ${wanted}`);
}

if (import.meta.main) {
  const [rounds = 1000, first = 1] = process.argv.slice(2).map(Number);
  const report = runMutations(await makeMutationSeeds(), rounds, first);
  console.log(report, `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
}
