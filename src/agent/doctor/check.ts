// What a check is, and what it answers. The list of them is in checks.ts.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { AppError, describeError } from "../../model/app-error.ts";

/** "skipped": the settings do not ask for it, or another check's failure makes it meaningless. */
export type Status = "ok" | "warning" | "failed" | "skipped";

export interface Verdict {
  status: Status;
  /** What was found, as one sentence: for a failure, the broken link. */
  found: string;
  /** What shows it: a log's line, a file's content. */
  evidence?: string;
  /** What to do about it. */
  remedy?: string;
}

export interface CheckContext {
  settings: AgentSettings;
  signal: AbortSignal;
  /** What the checks before this one said, by name. */
  earlier: ReadonlyMap<string, Verdict>;
}

export interface Check {
  /** A short noun; also the metric's label. */
  name: string;
  /** Never throws for what it looks for; what it throws all the same becomes a failure. */
  run: (context: CheckContext) => Promise<Verdict>;
}

export function ok(found: string): Verdict {
  return { status: "ok", found };
}

export function skipped(found: string): Verdict {
  return { status: "skipped", found };
}

export function warning(found: string, remedy: string): Verdict {
  return { status: "warning", found, remedy };
}

export function failed(found: string, remedy: string, evidence?: string): Verdict {
  return { status: "failed", found, remedy, ...(evidence === undefined ? {} : { evidence }) };
}

/** An error that a check met, as its verdict: the hint is the remedy. */
export function failedBy(error: unknown, remedy: string): Verdict {
  const hint = error instanceof AppError ? error.hint : undefined;
  const text = describeError(error);
  const found = hint === undefined ? text : text.replace(` (${hint})`, "");
  return failed(found, hint ?? remedy);
}
