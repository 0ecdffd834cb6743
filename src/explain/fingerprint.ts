// Makes two short ids of a crash. `bug` groups the crashes of one bug across builds and architectures; `exact` those of
// one place in one build. Neither is ever the hash of nothing: where no frame counts, it is made of the place, else of
// the signal.
import { createHash } from "node:crypto";
import { baseName } from "./c-library.ts";
import type { NamedFrame } from "./frame-symbols.ts";
import type { CulpritFrame } from "./normalisation.ts";
import { hex, type SummaryFingerprint } from "../model/crash-summary.ts";

/** A change of what goes into an id is a new name: ids of two algorithms never meet. */
const ALGORITHM = "bug-1";
const BUG_FRAMES = 5;
const EXACT_FRAMES = 16;

/** The facts that a fingerprint is made of. */
export interface FingerprintedCrash {
  /** The executable's path or the process's name. */
  program: string;
  /** "SIGSEGV", "SIGSEGV stack overflow", "SIGQUIT sent". */
  signalClass: string;
  signalCode: number | null;
  /** Of the thread that crashed. */
  frames: readonly NamedFrame[];
  culprits: readonly CulpritFrame[];
}

/** Makes both ids of a crash. */
export function fingerprintOf(crash: FingerprintedCrash): SummaryFingerprint {
  const frames = bugFrames(crash);
  const program = baseName(crash.program);
  return {
    bug: hash([ALGORITHM, program, crash.signalClass, ...frames]),
    exact: hash([ALGORITHM, "exact", program, crash.signalClass, ...exactFrames(crash)]),
    algorithm: ALGORITHM,
    frames,
  };
}

/**
 * Returns the labels that count. Where no frame counts, all places do, because the first alone may be where every
 * abort() ends.
 */
function bugFrames(crash: FingerprintedCrash): string[] {
  const { culprits } = crash;
  if (culprits.length === 0) return exactFrames(crash);
  return culprits.slice(0, BUG_FRAMES).map(({ label }) => label);
}

function exactFrames({ frames, signalCode }: FingerprintedCrash): string[] {
  const places = frames
    .filter(({ module, frame }) => module !== undefined && frame.trust !== "scan")
    .slice(0, EXACT_FRAMES)
    .map(placeOf);
  return places.length === 0 ? [`code ${signalCode}`] : places;
}

/** Names a place by build-id, because two builds may have the same file name. */
function placeOf({ module, frame }: NamedFrame): string {
  const offset = BigInt.asUintN(64, frame.programCounter - (module?.bias ?? 0n));
  return `${module?.buildId ?? baseName(module?.path ?? "")}+${hex(offset)}`;
}

function hash(parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 16);
}
