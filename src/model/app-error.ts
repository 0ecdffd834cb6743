// The one error for "cannot go on": a code, a sentence, and what would be right. main.ts catches it.
import { oneLine } from "./printable.ts";

/** The exit codes that mean more than "could not" (docs/contract.md, section 9). */
export const EXIT = {
  done: 0,
  failed: 1,
  /** The command line or the configuration is wrong; the program changed nothing. */
  usage: 2,
  /**
   * The composer's deadline passed; it closed the zip, which is valid and labelled as truncated (docs/contract.md,
   * section 9).
   */
  deadline: 32,
  /** A composer that read a core from a file could not put all of it into the zip, so the file has to stay. */
  cut: 33,
} as const;

/** What kind of failure an AppError is; "usage" and "configuration" decide the exit code. */
export type ErrorCode =
  | "usage"
  | "configuration"
  | "host"
  | "sysctl"
  | "core_directory"
  | "publish"
  | "store"
  | "archive";

/** What an AppError carries beside its code and its message. */
export interface AppErrorDetails {
  /** What the reader can do about it: one sentence. */
  hint?: string;
  /** Several faults of one kind, a sentence each; a terminal shows each on a line of its own. */
  faults?: readonly string[];
  cause?: unknown;
}

/** Thrown where the program cannot go on. main.ts catches it, prints describeError and exits with exitCodeOf. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly faults: readonly string[];
  /** The message without the faults. */
  readonly headline: string;

  constructor(code: ErrorCode, message: string, details: AppErrorDetails = {}) {
    const faults = details.faults ?? [];
    const whole = faults.length === 0 ? message : `${message}: ${faults.join("; ")}`;
    super(whole, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "AppError";
    this.code = code;
    this.hint = details.hint;
    this.faults = faults;
    this.headline = message;
  }
}

/** The exit code that belongs to an error: 2 for usage and configuration, 1 for all else. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof AppError)) return EXIT.failed;
  return error.code === "usage" || error.code === "configuration" ? EXIT.usage : EXIT.failed;
}

/** Describes the parts of an AggregateError. */
const PARTS_MAX = 5;

/** An error as one line: message, its causes, the hint. Control characters cannot forge a second line. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current !== undefined && current !== null && depth < 5; depth++) {
    const text = current instanceof Error ? current.message : JSON.stringify(current);
    if (text !== undefined && text !== "" && !parts.includes(text)) parts.push(text);
    if (current instanceof AggregateError) {
      const each = current.errors.slice(0, PARTS_MAX).map((part) => describeError(part));
      if (each.length > 0) parts.push(each.join(", "));
    }
    current = current instanceof Error ? current.cause : undefined;
  }
  const hint = error instanceof AppError && error.hint !== undefined ? ` (${error.hint})` : "";
  return oneLine(parts.join(": ") + hint);
}

/** The longest line that a terminal shows as one. */
const TERMINAL_COLUMNS = 100;

/**
 * An error for stderr: one line; several faults have a line each, and on a terminal a long hint has its own too. Control
 * characters cannot forge a line.
 */
export function formatError(error: unknown, isTerminal = false): string {
  const line = `core-dump-handler: ${describeError(error)}`;
  if (!(error instanceof AppError)) return `${line}\n`;
  const { code, headline, faults, hint, cause } = error;
  const isShort = !isTerminal || line.length <= TERMINAL_COLUMNS;
  if (faults.length < 2 && isShort) return `${line}\n`;
  const first = describeError(new AppError(code, headline, { cause }));
  const rest = [...faults, ...(hint === undefined ? [] : [hint])].map(
    (each) => `  ${oneLine(each)}`,
  );
  return [`core-dump-handler: ${first}`, ...rest, ""].join("\n");
}

/** The errno name of a failed system call (`ENOSPC`), or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
