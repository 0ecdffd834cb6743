// T-summary.json, schema 1: why a process crashed, as far as its core and modules tell. Every key is optional for
// a reader; addresses are hex strings; what is unknown is null. Names and texts are the process's own words.

export const SUMMARY_SCHEMA = 1;

/**
 * How a frame was found: the registers at the crash; call frame information (or what is as sure); the chain of frame
 * pointers; a return address on the stack whose call leads to the function below; one that only looks like it, and
 * may be wrong.
 */
export type FrameTrust = "context" | "cfi" | "frame_pointer" | "call" | "scan";

export interface SummaryFrame {
  address: string;
  /** The mapped file's path, "[vdso]", or null for code that is in no file (JIT). */
  module: string | null;
  /** As linked: what addr2line takes. */
  module_offset: string | null;
  build_id: string | null;
  /** As found in the symbol table: mangled. */
  function: string | null;
  /** For people: "app::Worker<T>::get"; null where it would be the same. */
  demangled: string | null;
  function_offset: string | null;
  /** "file:line", or null. */
  source: string | null;
  trust: FrameTrust;
  /** On the frame between a signal handler and what it interrupted: the signal's name. */
  signal: string | null;
}

export interface SummarySignal {
  number: number;
  name: string;
  /** null where the core does not tell it. */
  code: number | null;
  /** "SEGV_MAPERR"; null for a code without a name here. */
  code_name: string | null;
  fault_address: string | null;
  sender_pid: number | null;
  /** What happened, for people. */
  sentence: string;
}

export interface SummaryMessage {
  text: string;
  /** "abort_message" stands in the process's memory; "log" is what its log says, true or not. */
  source: "abort_message" | "log";
  /** "glibc", "go", "rust", "python", "java", "node", "c++". */
  language: string;
}

export interface SummaryThreads {
  /** Of the first one where several have the same stack. */
  tid: number;
  name: string | null;
  /** How many threads have this stack. */
  count: number;
  frames: SummaryFrame[];
}

export interface SummaryModule {
  path: string;
  start: string;
  end: string;
  build_id: string | null;
  package: string | null;
  /** True where the file that was found is another build's; it was not used. */
  other_build: boolean;
}

export interface SummaryFingerprint {
  /** Stable across builds and architectures, 16 hex digits. */
  bug: string;
  /** By build and offset, 16 hex digits. */
  exact: string;
  algorithm: string;
  /** What `bug` was made of. */
  frames: string[];
}

/** In `incomplete`: modules were missing that the bug's id would be made of. */
export const FINGERPRINT = "fingerprint";

export interface CrashSummary {
  schema: typeof SUMMARY_SCHEMA;
  /** One line that a person reads first. */
  title: string;
  signal: SummarySignal | null;
  abort_message: SummaryMessage | null;
  /** The last panic, exception or assertion in the container's own log. */
  panic: SummaryMessage | null;
  process: {
    comm: string | null;
    exe: string | null;
    pid: number | null;
    uid: number | null;
    gid: number | null;
    threads: number;
    architecture: string;
  };
  crashing_thread: {
    tid: number;
    name: string | null;
    registers: Record<string, string>;
    frames: SummaryFrame[];
    /** True where there were more frames than are looked at. */
    cut: boolean;
  } | null;
  /** The others; those with the same stack are one. */
  threads: SummaryThreads[];
  modules: SummaryModule[];
  fingerprint: SummaryFingerprint;
  incomplete: { what: string; why: string }[];
}

/** An address as it stands in a summary. */
export function hex(address: bigint): string {
  return `0x${address.toString(16)}`;
}
