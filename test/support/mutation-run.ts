// Damaged cores and modules through the whole of src/explain: it must end, with a summary or an AppError.
// `bun test/support/mutation-run.ts ROUNDS [SEED]` runs a campaign and says how long the rounds took.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explainCore } from "../../src/explain/explain.ts";
import { AppError } from "../../src/model/app-error.ts";
import type { ModuleFiles } from "../../src/model/module-files.ts";
import { bytesOf } from "../../src/model/random-bytes.ts";
import { buildCrashes } from "./crash-builds.ts";
import { crashInDebugger } from "./debugged-core.ts";
import { Chance, damaged } from "./mutations.ts";

export interface MutationSeed {
  core: Buffer;
  /** Up to which offset the core's headers and notes go. */
  headBytes: number;
  /** By path, the program's own. */
  modules: ReadonlyMap<string, Buffer>;
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

/** A crash in a program that brings all its code along, so that damaged call frame information is what is walked. */
export async function makeMutationSeed(): Promise<MutationSeed> {
  const program = await buildCrashes("c-static");
  const folder = mkdtempSync(join(tmpdir(), "core-dump-handler-test-"));
  try {
    const path = join(folder, "core");
    await crashInDebugger([program, "handler"], path);
    const core = readFileSync(path);
    return {
      core,
      headBytes: endOfNotes(core),
      modules: new Map([[program, readFileSync(program)]]),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function endOfNotes(core: Buffer): number {
  const table = Number(core.readBigUInt64LE(32));
  let end = 0;
  for (let index = 0; index < core.readUInt16LE(56); index++) {
    const at = table + index * 56;
    if (core.readUInt32LE(at) !== 4) continue;
    end = Number(core.readBigUInt64LE(at + 8) + core.readBigUInt64LE(at + 32));
  }
  return end;
}

/** Throws what is no AppError, with the round's seed. */
export function runMutations(
  seed: MutationSeed,
  rounds: number,
  firstSeed: number,
): MutationReport {
  const report = { rounds, refused: 0, slowestMs: 0, slowestSeed: 0, over5Ms: 0, over100Ms: 0 };
  for (let round = 0; round < rounds; round++) {
    const started = process.cpuUsage();
    try {
      runRound(seed, new Chance(firstSeed + round));
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

function runRound({ core, headBytes, modules }: MutationSeed, chance: Chance): void {
  const kind = chance.below(4);
  const [path = "", original = Buffer.alloc(0)] = [...modules][0] ?? [];
  const program = kind === 0 ? original : damagedProgram(original, chance, kind);
  const damagedCore =
    kind <= 1
      ? damaged(
          core,
          chance,
          0,
          kind === 0 ? (chance.below(2) === 0 ? 1024 : headBytes) : core.length,
        )
      : core;
  const files: ModuleFiles = {
    find: (wanted) => [
      wanted.path === path ? { bytes: bytesOf(program) } : { missing: "not here" },
    ],
  };
  explainCore({
    core: bytesOf(damagedCore),
    modules: files,
    log: damagedCore.toString("latin1", 0, 2000),
  });
}

/** Its headers, or the call frame information that the walk goes through. */
function damagedProgram(original: Buffer, chance: Chance, kind: number): Buffer {
  if (kind === 2) return damaged(original, chance, 64, 1024);
  const { offset, sizeBytes } = sectionOf(
    original,
    chance.below(3) === 0 ? ".symtab" : ".eh_frame",
  );
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
  const report = runMutations(await makeMutationSeed(), rounds, first);
  console.log(report, `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
}
