// T-summary.json, schema 1: why a process crashed, as far as its core and modules tell. Every key is optional for
// a reader; addresses are hex strings; what is unknown is null. Names and texts are the process's own words.

/** The schema's number, which the summary carries. */
export const SUMMARY_SCHEMA = 1;

/**
 * How a frame was found: the registers at the crash; call frame information (or what is as sure); the chain of frame
 * pointers; a return address on the stack whose call leads to the function below; one that only looks like it, and
 * may be wrong.
 */
export type FrameTrust = "context" | "cfi" | "frame_pointer" | "call" | "scan";

/** One frame of a stack, the innermost first. */
export interface SummaryFrame {
  address: string;
  /** The mapped file's path, "[vdso]", or null for code that is in no file (JIT). */
  module: string | null;
  /** The offset as addr2line takes it: relative to the file's link address. */
  module_offset: string | null;
  build_id: string | null;
  /** The mangled name, as the symbol table has it. */
  function: string | null;
  /** The name as people read it, "app::Worker<T>::get"; null where it equals `function`. */
  demangled: string | null;
  function_offset: string | null;
  /** "file:line", or null. */
  source: string | null;
  trust: FrameTrust;
  /** The signal's name, on the frame between a signal handler and the function that it interrupted. */
  signal: string | null;
}

/** The signal that killed the process. */
export interface SummarySignal {
  number: number;
  name: string;
  /** si_code; null where the core does not have it. */
  code: number | null;
  /** Such as "SEGV_MAPERR"; null for a code without a name here. */
  code_name: string | null;
  fault_address: string | null;
  sender_pid: number | null;
  /** One sentence for people that says what happened. */
  sentence: string;
}

/** A message that the program or its runtime wrote before it died. */
export interface SummaryMessage {
  text: string;
  /** "abort_message" comes from the process's memory; "log" comes from its log, where it can write anything. */
  source: "abort_message" | "log";
  /** One of "glibc", "go", "rust", "python", "java", "node", "c++". */
  language: string;
}

/** Threads that share one stack. */
export interface SummaryThreads {
  /** The thread id of the first of them. */
  tid: number;
  name: string | null;
  /** How many threads have this stack. */
  count: number;
  frames: SummaryFrame[];
}

/** A file that the process had mapped. */
export interface SummaryModule {
  path: string;
  start: string;
  end: string;
  build_id: string | null;
  package: string | null;
  /** True where the file at hand is another build; the explainer did not use it then. */
  other_build: boolean;
}

/** A stretch of the process's memory; neighbours of one kind are one. */
export interface SummaryArea {
  start: string;
  end: string;
  kind: AreaKind;
  /** The file's path, or whose stack it is; null for memory without a name. */
  name: string | null;
}

/** What a stretch of memory holds. "heap" is where the kernel would have put it. */
export const AREA_KINDS = ["program", "library", "heap", "stack", "anonymous"] as const;
/** One of AREA_KINDS. */
export type AreaKind = (typeof AREA_KINDS)[number];

/** Two keys by which dumps of one bug are found. */
export interface SummaryFingerprint {
  /** A key that is the same for all builds and architectures, 16 hex digits. */
  bug: string;
  /** A key made of build-ids and offsets, 16 hex digits. */
  exact: string;
  algorithm: string;
  /** The frames that `bug` is made of. */
  frames: string[];
}

/**
 * Returns whether a bug's id was made of a place in the program. One that was made of program and signal alone may be
 * that of many bugs.
 */
export function isOfPlace({ frames: [first] }: Pick<SummaryFingerprint, "frames">): boolean {
  return first !== undefined && !first.startsWith("code ");
}

/** In `incomplete`: modules were missing that the bug's id would be made of. */
export const FINGERPRINT = "fingerprint";

/** The whole summary of one crash. */
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
    /** True where the stack has more frames than the explainer's limit. */
    cut: boolean;
    /**
     * The index of the innermost frame that shows whose bug it is; the frames before it only report the failure. null
     * where none does.
     */
    fault_frame: number | null;
  } | null;
  /** The other threads; those with the same stack are one entry. */
  threads: SummaryThreads[];
  modules: SummaryModule[];
  /** What lies where, by address; the largest areas where there are many. */
  memory: SummaryArea[];
  fingerprint: SummaryFingerprint;
  incomplete: { what: string; why: string }[];
}

/** Writes an address as a summary has it. */
export function hex(address: bigint): string {
  return `0x${address.toString(16)}`;
}
