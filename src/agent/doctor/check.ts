// The types of a check and its verdict; checks.ts has the list.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { AppError, describeError } from "../../model/app-error.ts";

/** "skipped": the settings do not need the check, or another check's failure makes it meaningless. */
export type Status = "ok" | "warning" | "failed" | "skipped";

/** A check's result. */
export interface CheckResult {
  status: Status;
  /** The finding as one sentence; for a failure, the broken link. */
  found: string;
  /** What shows the finding: a log's line, a file's content. */
  evidence?: string;
  /** What the reader can do. */
  remedy?: string;
}

/** What a check may use. */
export interface CheckContext {
  settings: AgentSettings;
  signal: AbortSignal;
  /** The verdicts of the earlier checks, by name. */
  earlier: ReadonlyMap<string, CheckResult>;
}

/** One check. */
export interface Check {
  /** A short noun; also the metric's label. */
  name: string;
  /** Runs the check. A failure that it looks for is a verdict; any error that it throws becomes a failure too. */
  run: (context: CheckContext) => Promise<CheckResult>;
}

/** Makes the verdict "ok". */
export function ok(found: string): CheckResult {
  return { status: "ok", found };
}

/** Makes the verdict "skipped". */
export function skipped(found: string): CheckResult {
  return { status: "skipped", found };
}

/** Makes the verdict "warning". */
export function warning(found: string, remedy: string): CheckResult {
  return { status: "warning", found, remedy };
}

/** Makes the verdict "failed". */
export function failed(found: string, remedy: string, evidence?: string): CheckResult {
  return { status: "failed", found, remedy, ...(evidence === undefined ? {} : { evidence }) };
}

/** Makes a verdict of an error; its hint, where it has one, is the remedy. */
export function failedBy(error: unknown, remedy: string): CheckResult {
  const hint = error instanceof AppError ? error.hint : undefined;
  const text = describeError(error);
  const found = hint === undefined ? text : text.replace(` (${hint})`, "");
  return failed(found, hint ?? remedy);
}
