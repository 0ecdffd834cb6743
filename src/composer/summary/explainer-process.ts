// The process that explains a crash: our executable in a role of its own, which gives up all its rights
// (host/confinement.ts) and has until its deadline. Whatever it does costs its answer only.
import { closeSync, readSync } from "node:fs";
import { openSealedSpace } from "../../host/memory-file.ts";
import { bringForward, setAside } from "../../host/process-priority.ts";
import { within } from "../../host/timer.ts";
import { AppError } from "../../model/app-error.ts";
import { ANSWER_MAX_BYTES, BUG_AT, BUG_BYTES, LOG_TAIL_BYTES } from "../../model/crash-excerpt.ts";
import { isOfPlace, type CrashSummary } from "../../model/crash-summary.ts";
import { parseCrashSummary } from "../../model/crash-summary-json.ts";
import { oneLine } from "../../model/printable.ts";
import { at, isDeeperThan, textAt, type Json } from "../../model/json.ts";

export interface Explained {
  /** T-summary.json. */
  data: Uint8Array;
  summary: CrashSummary;
  title: string;
  bug: string;
  exact: string;
  /** Whether the bug's id is that of a place in the program, and not of many bugs. */
  isOfPlace: boolean;
  /** The innermost function of the crashing thread that has a name, for people. */
  crashFunction: string | null;
  /** Of the mapped files, by their pages in the process; each once. */
  buildIds: string[];
}

const DEPTH_MAX = 16;
const READY_MS = 2_000;
const ID = /^[0-9a-f]{16}$/;

/** One explainer, from its start to its answer or its end. */
export class ExplainerProcess {
  private readonly child: Bun.Subprocess<"pipe", number, "ignore">;
  private readonly answer: number;

  /**
   * descriptors: the excerpt, then the mapped files; they stay the caller's. Stays behind all other work until hurry,
   * unless it is urgent. Throws where it cannot be started.
   */
  constructor(command: readonly string[], descriptors: readonly number[], isUrgent = false) {
    this.answer = openSealedSpace("explain-answer", ANSWER_MAX_BYTES);
    try {
      this.child = Bun.spawn([...command], {
        // The composer is known by its name; this is another role of the same executable.
        argv0: "core-dump-handler",
        cwd: "/",
        env: {},
        // Not our stdin: as long as anybody has that open, the crashed process is held.
        stdio: ["pipe", this.answer, "ignore", ...descriptors],
      });
    } catch (error) {
      closeSync(this.answer);
      throw error;
    }
    if (isUrgent) bringForward(this.child.pid);
    else setAside(this.child.pid);
  }

  get pid(): number {
    return this.child.pid;
  }

  /** The bug's id, as soon as it is known, which may be before the answer. */
  get bug(): string | undefined {
    const bytes = Buffer.alloc(BUG_BYTES);
    const text = bytes.toString("latin1", 0, readSync(this.answer, bytes, 0, BUG_BYTES, BUG_AT));
    return ID.test(text) ? text : undefined;
  }

  /** The crashed process was let go, and the dump waits for this one. */
  hurry(): void {
    bringForward(this.child.pid);
  }

  /** Its answer, with the end of the container's log told to it. Throws AppError with what went wrong instead. */
  async finish(log: Uint8Array, timeoutMs: number, stop: Promise<void>): Promise<Explained> {
    const child = this.child;
    try {
      void tell(child.stdin, log.subarray(-LOG_TAIL_BYTES));
      const ended = child.exited.then(() => "ended" as const);
      const stopped = stop.then(() => "stopped" as const);
      const end = await within(Promise.race([ended, stopped]), timeoutMs, () => "late" as const);
      if (end !== "ended")
        throw failed(end === "late" ? `no answer in ${timeoutMs} ms` : "the deadline passed");
      return readAnswer(this.answer, endOf(child));
    } finally {
      await this.end();
    }
  }

  async end(): Promise<void> {
    this.child.kill("SIGKILL");
    await within(this.child.exited, READY_MS, () => undefined);
    closeSync(this.answer);
  }
}

/** One that has ended, or does not read, has its answer or its end for a result. */
async function tell(stdin: Bun.FileSink, log: Uint8Array): Promise<void> {
  try {
    void stdin.write(log);
    await stdin.end();
  } catch {
    // EPIPE
  }
}

function endOf({ exitCode, signalCode }: Pick<Bun.Subprocess, "exitCode" | "signalCode">): string {
  return signalCode === null ? `exit code ${exitCode}` : `signal ${signalCode}`;
}

function failed(why: string): AppError {
  return new AppError("host", why);
}

function readAnswer(fd: number, how: string): Explained {
  const file = Buffer.alloc(ANSWER_MAX_BYTES);
  const filled = readSync(fd, file, 0, file.length, 0);
  const end = file.indexOf(0);
  // It made its texts harmless; whoever took it over would not.
  const text = oneLine(file.toString("utf8", 0, end === -1 ? filled : end).trim());
  if (text === "") throw failed(`the explainer ended without an answer (${how})`);
  const json = parse(text);
  const summary = json === undefined ? undefined : parseCrashSummary(json);
  if (summary === undefined) {
    const why = textAt(json, "error");
    throw failed(why === "" ? `the explainer's answer is no summary (${how})` : why);
  }
  return {
    data: new TextEncoder().encode(`${text}\n`),
    summary,
    title: summary.title,
    bug: fingerprint(at(json, "fingerprint", "bug")),
    exact: fingerprint(at(json, "fingerprint", "exact")),
    isOfPlace: isOfPlace(summary.fingerprint),
    crashFunction: crashFunctionOf(summary),
    buildIds: [...new Set(summary.modules.flatMap(({ build_id }) => build_id ?? []))],
  };
}

/** The first that says whose bug it is; raise() and abort() do not. Places stand in the fingerprint where no name does. */
function crashFunctionOf({ fingerprint: { frames }, crashing_thread: thread }: CrashSummary) {
  const [first = ""] = frames;
  if (first !== "" && !/^code |\+0x[0-9a-f]+$/.test(first)) return first;
  const named = thread?.frames.find((frame) => frame.function !== null);
  return named?.demangled ?? named?.function ?? null;
}

/** undefined for what is no JSON, or of a depth that no summary has. */
function parse(text: string): Json | undefined {
  try {
    const json = JSON.parse(text) as Json;
    return isDeeperThan(json, DEPTH_MAX) ? undefined : json;
  } catch {
    return undefined;
  }
}

function fingerprint(value: Json | undefined): string {
  if (typeof value === "string" && ID.test(value)) return value;
  throw failed("the explainer's answer has no fingerprint");
}
