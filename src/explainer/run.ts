// `explain-crash`: makes one summary of what a composer copied. Hostile bytes are looked at only after this process
// has given up all that it could do with them.
import { readSync, writeSync } from "node:fs";
import { explainCore } from "../explain/explain.ts";
import { findPanic } from "../explain/panic-text.ts";
import { confine } from "../host/confinement.ts";
import { describeError } from "../model/app-error.ts";
import { ANSWER_MAX_BYTES, BUG_AT, LOG_TAIL_BYTES } from "../model/crash-excerpt.ts";
import { isOfPlace, type CrashSummary } from "../model/crash-summary.ts";
import { printableJson } from "../model/printable.ts";
import { openExcerpt } from "./excerpt.ts";

/** 64 threads of Node with 110,000 symbols take 64 MiB in all, the engine's own 35 included. */
const MEMORY_MAX_BYTES = 256 << 20;
const [STDIN, STDOUT] = [0, 1];

/** Its answer is one JSON object on stdout: the summary, or `{"error": …}`. The bug's id stands there before. */
export async function runExplainer([cpuSeconds = "5"]: readonly string[]): Promise<number> {
  try {
    const excerpt = openExcerpt();
    confine({
      memoryBytes: MEMORY_MAX_BYTES,
      cpuSeconds: Number(cpuSeconds),
      fileBytes: ANSWER_MAX_BYTES,
    });
    const { core, memory, modules, threadNames, mayShowMemory } = excerpt;
    const summary = explainCore({
      core,
      ...(memory === undefined ? {} : { memory }),
      modules,
      threadNames,
      showsMemory: mayShowMemory,
    });
    if (isOfPlace(summary.fingerprint)) writeSync(STDOUT, summary.fingerprint.bug, BUG_AT);
    summary.panic = findPanic(readLog());
    answer(formatSummary(mayShowMemory ? summary : withoutMemory(summary)));
    return 0;
  } catch (error) {
    answer(printableJson({ error: describeError(error) }));
    return 1;
  }
}

/** Until the composer closes its end: it knows the container's log later than the rest. */
function readLog(): string {
  const log = Buffer.alloc(LOG_TAIL_BYTES);
  let filled = 0;
  while (filled < log.length) {
    const count = readSync(STDIN, log, filled, log.length - filled, null);
    if (count === 0) break;
    filled += count;
  }
  return log.toString("utf8", 0, filled);
}

/** Registers hold what the program worked on; program counter and stack pointer are addresses. */
const ADDRESS_REGISTERS = new Set(["rip", "rsp", "pc", "sp"]);

function withoutMemory(summary: CrashSummary): CrashSummary {
  const { crashing_thread: thread } = summary;
  if (thread === null) return summary;
  const registers = Object.fromEntries(
    Object.entries(thread.registers).filter(([name]) => ADDRESS_REGISTERS.has(name)),
  );
  return { ...summary, crashing_thread: { ...thread, registers } };
}

/** Frames that the other threads' stacks keep in a summary that is too long otherwise. */
const FRAME_CUTS = [Number.POSITIVE_INFINITY, 16, 4, 0] as const;

function formatSummary(summary: CrashSummary): string {
  for (const frames of FRAME_CUTS) {
    const why = `only ${frames} frames of each other thread fit`;
    const cut: CrashSummary = Number.isFinite(frames)
      ? {
          ...summary,
          threads: summary.threads.map((thread) => ({
            ...thread,
            frames: thread.frames.slice(0, frames),
          })),
          incomplete: [...summary.incomplete, { what: "threads", why }],
        }
      : summary;
    const json = printableJson(cut);
    if (Buffer.byteLength(json) < BUG_AT) return json;
  }
  throw new Error("the summary is too long");
}

function answer(json: string): void {
  const bytes = Buffer.from(json);
  for (let at = 0; at < bytes.length;) at += writeSync(STDOUT, bytes, at, undefined, at);
}
