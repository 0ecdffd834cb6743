// Makes a summary of a crash from its core and the modules at hand. It reads everything through the ports that it is
// given; whatever these hold, it ends, and what could not be had stands in `incomplete`.
import { readAbortMessage } from "./abort-message.ts";
import { abortReason } from "./abort-reason.ts";
import { baseName } from "./c-library.ts";
import { openCoreMemory } from "./core-memory.ts";
import { parseElfCore, type ElfCore } from "./elf-core.ts";
import { isOwnTrap, isStackOverflow } from "./fault-kind.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { FrameSymbols, summarizeFrame, type NamedFrame } from "./frame-symbols.ts";
import { ALL_FRAMES_MAX, FRAMES_MAX, MODULES_MAX, TEXT_MAX_CHARACTERS } from "./limits.ts";
import { Malformed } from "./malformed.ts";
import { memoryAreas } from "./memory-areas.ts";
import { MappedModules, type MappedModule } from "./mapped-modules.ts";
import { findCulprits, type CulpritFrame } from "./normalisation.ts";
import { findPanic } from "./panic-text.ts";
import { summarizeThreads } from "./other-threads.ts";
import { describeSignal } from "./signal-sentence.ts";
import { titleOf } from "./title.ts";
import { UnwindContext } from "./unwind-context.ts";
import { unwind, type UnwoundStack } from "./unwinder.ts";
import { AppError } from "../model/app-error.ts";
import {
  FINGERPRINT,
  hex,
  SUMMARY_SCHEMA,
  type CrashSummary,
  type SummaryModule,
  type SummarySignal,
} from "../model/crash-summary.ts";
import type { ModuleFiles } from "../model/module-files.ts";
import type { ProcessMemory } from "../model/process-memory.ts";
import type { RandomBytes } from "../model/random-bytes.ts";

/** The core and everything else that is known about the crash. */
export interface ExplainRequest {
  /** A whole core, or its first bytes up to the notes' end where `memory` has the rest. */
  core: RandomBytes;
  /** By default what the core's segments hold. */
  memory?: ProcessMemory;
  modules: ModuleFiles;
  /** The end of the container's log, or "". */
  log?: string;
  /** By tid. */
  threadNames?: ReadonlyMap<number, string>;
  /** False: no text of the process's memory goes into the summary. */
  showsMemory?: boolean;
}

/** Throws AppError "archive" for what is no core that can be read. */
export function explainCore(request: ExplainRequest): CrashSummary {
  const core = openCore(request.core);
  const memory = request.memory ?? openCoreMemory(request.core, core.segments);
  const modules = new MappedModules(core, memory, request.modules);
  const context = new UnwindContext(core, memory, modules);
  const stacks = unwindAll(core, context);
  const symbols = new FrameSymbols(context);
  symbols.load(stacks.flatMap(({ frames }) => frames));
  const named = stacks.map(({ frames }) => frames.map((frame) => symbols.nameOf(frame)));
  const incomplete = [
    ...core.incomplete,
    ...symbols.troubles,
    ...stackTroubles(stacks),
    ...moduleTroubles(modules, stacks),
  ];
  return summarize(request, core, context, { stacks, named, incomplete });
}

function unwindAll(core: ElfCore, context: UnwindContext): UnwoundStack[] {
  let left = ALL_FRAMES_MAX;
  return core.threads.map((thread) => {
    const stack = unwind(thread, context, Math.max(1, Math.min(FRAMES_MAX, left)));
    left -= stack.frames.length;
    return stack;
  });
}

function stackTroubles(stacks: readonly UnwoundStack[]): { what: string; why: string }[] {
  const whys = new Set(stacks.flatMap(({ trouble }) => (trouble === null ? [] : [trouble])));
  return [...whys].map((why) => ({ what: "stacks", why }));
}

interface Findings {
  stacks: readonly UnwoundStack[];
  /** The crashing thread's first. */
  named: readonly NamedFrame[][];
  incomplete: { what: string; why: string }[];
}

function summarize(
  { log = "", threadNames = new Map(), showsMemory = true }: ExplainRequest,
  core: ElfCore,
  context: UnwindContext,
  { stacks, named, incomplete }: Findings,
): CrashSummary {
  const executable = findExecutable(core, context.modules);
  const message = showsMemory ? readAbortMessage(context, executable) : null;
  const [frames = [], ...others] = named;
  const described = describeSignal(core, context);
  const reason = abortReason(described?.number ?? 0, frames);
  const signal =
    described === null || reason === null
      ? described
      : { ...described, sentence: `${described.sentence}: ${reason}` };
  const culprits = findCulprits(frames);
  const overflow = isStackOverflow(core);
  const program = executable?.path ?? core.process?.comm ?? "";
  const [crashed, ...otherThreads] = core.threads;
  return {
    schema: SUMMARY_SCHEMA,
    title: titleOf({ signal, isStackOverflow: overflow, message, reason, culprits, program }),
    signal,
    abort_message: message,
    panic: findPanic(log),
    process: {
      comm: core.process?.comm ?? null,
      exe: executable?.path ?? null,
      pid: core.process?.pid ?? null,
      uid: core.process?.uid ?? null,
      gid: core.process?.gid ?? null,
      threads: core.threadCount,
      architecture: core.architecture.machine,
    },
    crashing_thread:
      crashed === undefined
        ? null
        : {
            tid: crashed.tid,
            name: threadNames.get(crashed.tid) ?? null,
            registers: registersOf(core),
            frames: frames.map(summarizeFrame),
            cut: stacks[0]?.isCut ?? false,
            fault_frame: culprits[0] === undefined ? null : frames.indexOf(culprits[0].named),
          },
    threads: summarizeThreads(otherThreads, others, threadNames),
    modules: context.modules.all.map(summarizeModule),
    memory: memoryAreas(core, context.modules.all, executable),
    fingerprint: fingerprintOf({
      program,
      signalClass: signalClassOf(signal, reason, core, context),
      signalCode: signal?.code ?? null,
      frames,
      culprits,
    }),
    incomplete: [...incomplete, ...fingerprintTroubles(culprits)],
  };
}

/** Returns the signal as it counts for a bug's id: two processors answer one bug with different signals. */
function signalClassOf(
  signal: SummarySignal | null,
  reason: string | null,
  core: ElfCore,
  context: UnwindContext,
): string {
  if (signal === null) return "unknown";
  if (reason !== null) return reason;
  if (isStackOverflow(core)) return `${signal.name} stack overflow`;
  if (isOwnTrap(core, context)) return "trap";
  const isSent = signal.sender_pid !== null && signal.sender_pid !== core.process?.pid;
  return isSent ? `${signal.name} sent` : signal.name;
}

/** Returns a line where a module is missing: the bug's id is another one with the names in that module. */
function fingerprintTroubles(culprits: readonly CulpritFrame[]): { what: string; why: string }[] {
  const unknown = culprits.find(
    ({ named }) => named.module !== undefined && named.module.missing !== null,
  );
  if (unknown === undefined) return [];
  const why = `made without ${baseName(unknown.named.module?.path ?? "")}; it is another one with it`;
  return [{ what: FINGERPRINT, why }];
}

function openCore(bytes: RandomBytes): ElfCore {
  try {
    return parseElfCore(bytes);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new AppError("archive", `the core cannot be read: ${error.message}`, { cause: error });
  }
}

/** AT_ENTRY: the address that the program began at. */
const AT_ENTRY = 9n;

function findExecutable(core: ElfCore, modules: MappedModules): MappedModule | undefined {
  const entry = core.auxiliary.get(AT_ENTRY);
  return entry === undefined ? undefined : modules.at(entry);
}

function registersOf({ threads: [thread], architecture }: ElfCore): Record<string, string> {
  if (thread === undefined) return {};
  const entries = architecture.names.flatMap((name, index) => {
    const value =
      index === architecture.statusProgramCounter ? thread.programCounter : thread.registers[index];
    return value === undefined ? [] : [[name, hex(value)] as const];
  });
  return Object.fromEntries(entries);
}

function summarizeModule(module: MappedModule): SummaryModule {
  return {
    path: module.path.slice(0, TEXT_MAX_CHARACTERS),
    start: hex(module.start),
    end: hex(module.end),
    build_id: module.buildId,
    package: module.packageNote,
    other_build: module.otherBuild,
  };
}

/** Returns what is wrong with modules that a frame lies in; nobody misses a module that no stack goes through. */
function moduleTroubles(
  modules: MappedModules,
  stacks: readonly UnwoundStack[],
): { what: string; why: string }[] {
  const used = new Set(
    stacks.flatMap(({ frames }) => frames.map(({ lookup }) => modules.at(lookup))),
  );
  const troubles = [...used].flatMap((module) =>
    module?.missing == null ? [] : [{ what: module.path, why: module.missing }],
  );
  if (modules.leftOut === 0) return troubles;
  const why = `${modules.leftOut} mapped files beyond ${MODULES_MAX} are left out`;
  return [...troubles, { what: "modules", why }];
}
