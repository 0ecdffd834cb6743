// Why it crashed, found out beside the dump: what the held process can tell is copied while its core drains, a
// process of its own makes a summary of that when it was let go. Costs the core nothing, whatever happens.
import { closeSync, writeSync } from "node:fs";
import type { HeldProcess } from "../../host/held-process.ts";
import { openMemorySpace } from "../../host/memory-file.ts";
import { untilAborted, within } from "../../host/timer.ts";
import { describeError } from "../../model/app-error.ts";
import { formatExcerptEnd } from "../../model/crash-excerpt.ts";
import type { CrashContext } from "../../model/crash-context.ts";
import type { Attempts } from "../attempt.ts";
import { CoreHead } from "./core-head.ts";
import { ExplainerProcess, type Explained } from "./explainer-process.ts";
import { HeldCopier, type HeldCopy } from "./held-copy.ts";

export interface ExplainingContext {
  crash: CrashContext;
  /** undefined where the process is gone, or not known. */
  held: HeldProcess | undefined;
  timeoutSeconds: number;
  attempts: Attempts;
  deadline: AbortSignal;
  procDir: string;
  /** What starts the explainer; its processor seconds are added. */
  command: readonly string[];
}

/** The name in dump-info's `missing`. */
export const SUMMARY_LABEL = "summary";
/** It takes some milliseconds; a process with very many threads and files is let go before all is copied. */
const COPY_MAX_MS = 250;

/** Has one crash explained. No call throws; what went wrong becomes a missing piece of dump-info. */
export class Explaining {
  private readonly context: ExplainingContext;
  private space: number | undefined;
  private hasFailed = false;
  private head: CoreHead | undefined;
  private copier: HeldCopier | undefined;
  private copying: Promise<HeldCopy | undefined> | undefined;
  private copy: HeldCopy | undefined;
  private process: ExplainerProcess | undefined;

  constructor(context: ExplainingContext) {
    this.context = context;
    this.try(() => {
      this.space = openMemorySpace("crash-excerpt");
      this.head = new CoreHead(this.space, () => (this.copying ??= this.copyHeld()));
    });
  }

  /** The core's bytes, from the first on. */
  take(bytes: Uint8Array): void {
    this.try(() => this.head?.push(bytes));
  }

  /** Until then the crashed process should be held; a moment at most. */
  async copied(): Promise<void> {
    // A core that ends within its notes: what there is of them may do.
    this.copying ??= this.copyHeld();
    this.copy = await within(this.copying, COPY_MAX_MS, () => {
      this.fail(new Error(`the process was not copied within ${COPY_MAX_MS} ms`));
      return undefined;
    });
  }

  /** The process has been let go, and what was copied of it is explained. */
  start(): void {
    const [copy, space] = [this.copy, this.space];
    if (copy === undefined || space === undefined || this.process !== undefined) return;
    this.try(() => {
      const { command, timeoutSeconds, crash } = this.context;
      const { ranges, modules, threadNames, descriptors, endBytes } = copy;
      const headBytes = this.head?.sizeBytes ?? 0;
      const mayShowMemory = crash.dumpable === 1;
      const table = { headBytes, mayShowMemory, ranges, modules, threadNames };
      const end = formatExcerptEnd(table, endBytes);
      writeSync(space, end, 0, end.length, endBytes);
      this.process = new ExplainerProcess(
        [...command, String(timeoutSeconds)],
        [space, ...descriptors],
      );
    });
    this.letGo();
  }

  /** The summary; undefined where there is none, which dump-info then lists. `log` is the container's, or its end. */
  async finish(log: Uint8Array): Promise<Explained | undefined> {
    const { attempts, deadline, timeoutSeconds } = this.context;
    const running = this.process;
    this.letGo();
    if (running === undefined) return undefined;
    return attempts.attempt(
      SUMMARY_LABEL,
      () => running.finish(log, timeoutSeconds * 1000, untilAborted(deadline)),
      undefined,
    );
  }

  /** The dump is left out, or failed: nobody waits for a summary. */
  async abandon(): Promise<void> {
    this.letGo();
    await this.process?.end();
    this.process = undefined;
  }

  private async copyHeld(): Promise<HeldCopy | undefined> {
    const { held, procDir, crash } = this.context;
    const [head, space] = [this.head, this.space];
    if (head === undefined || space === undefined) return undefined;
    try {
      const facts = head.read();
      // dump-info says already that it is no ELF core.
      if (facts === undefined) return undefined;
      if (held === undefined) throw new Error("no process is held whose memory could be copied");
      if (facts.threads.length === 0) throw new Error("its core does not begin with its notes");
      const tid = crash.hostTid ?? held.pid;
      this.copier = new HeldCopier(procDir, held, tid, space, head.sizeBytes);
      return await this.copier.run(facts, crash.dumpable === 1);
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  private try(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Said once. */
  private fail(error: unknown): void {
    if (!this.hasFailed) this.context.attempts.record(SUMMARY_LABEL, describeError(error));
    this.hasFailed = true;
    this.head = undefined;
  }

  private letGo(): void {
    this.copier?.stop();
    this.head = undefined;
    for (const fd of this.copy?.descriptors ?? []) closeSync(fd);
    if (this.space !== undefined) closeSync(this.space);
    this.copy = undefined;
    this.space = undefined;
  }
}
