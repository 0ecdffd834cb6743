// Why it crashed, found out beside the dump: what the held process can tell is copied while its core drains, and a
// process of its own makes a summary of that meanwhile, which is waited for when the crashed process was let go. Costs
// the core nothing, whatever happens.
import { closeSync, openSync, writeSync } from "node:fs";
import type { HeldProcess } from "../../host/held-process.ts";
import { openMemorySpace } from "../../host/memory-file.ts";
import { untilAborted, within } from "../../host/timer.ts";
import { describeError } from "../../model/app-error.ts";
import { FIRST_MODULE_FD, formatExcerptEnd } from "../../model/crash-excerpt.ts";
import type { CrashContext } from "../../model/crash-context.ts";
import type { Attempts } from "../attempt.ts";
import { MODULES_LABEL, type ModuleKeeping } from "../modules/module-keeping.ts";
import { openHeldPages } from "../small-core/held-pages.ts";
import { CoreHead } from "./core-head.ts";
import { copyOfCoreFile, type CoreFilePlace } from "./file-copy.ts";
import { ExplainerProcess, type Explained } from "./explainer-process.ts";
import { HeldCopier, type HeldCopy } from "./held-copy.ts";

export interface ExplainingContext {
  crash: CrashContext;
  /** undefined where the process is gone, or not known. */
  held: HeldProcess | undefined;
  /** The core's file; undefined where its process is held. */
  file?: CoreFilePlace | undefined;
  timeoutSeconds: number;
  /** Whether somebody waits for the bug's id while the core drains. */
  isUrgent: boolean;
  attempts: Attempts;
  deadline: AbortSignal;
  procDir: string;
  /** What starts the explainer; its processor seconds are added. Undefined where no summary is wanted. */
  command: readonly string[] | undefined;
  /** Gets the descriptors of the mapped files too; undefined where modules are not kept. */
  modules: ModuleKeeping | undefined;
}

/** The name in dump-info's `missing`. */
export const SUMMARY_LABEL = "summary";
/** It takes some milliseconds; a process with very many threads and files is let go before all is copied. */
const COPY_MAX_MS = 250;
/** At the deadline a summary may be ready but for the log's last words. */
const DEADLINE_GRACE_MS = 1000;
/** How often to look for the bug's id while somebody waits for it. */
const BUG_LOOK_MS = 25;

/** Has one crash explained. No call throws; what went wrong becomes a missing piece of dump-info. */
export class Explaining {
  private readonly context: ExplainingContext;
  private space: number | undefined;
  private hasFailed = false;
  private isLetGo = false;
  private isOver = false;
  private head: CoreHead | undefined;
  private copier: HeldCopier | undefined;
  private copying: Promise<void> | undefined;
  private process: ExplainerProcess | undefined;

  constructor(context: ExplainingContext) {
    this.context = context;
    this.try(() => {
      this.space = openMemorySpace("crash-excerpt");
      this.head = new CoreHead(this.space, () => (this.copying ??= this.copyAndStart()));
    });
  }

  /** The core's bytes, from the first on. */
  take(bytes: Uint8Array): void {
    this.try(() => this.head?.push(bytes));
  }

  /** Until then the crashed process should be held; a moment at most. */
  async copied(): Promise<void> {
    // A core that ends within its notes: what there is of them may do.
    this.copying ??= this.copyAndStart();
    await within(this.copying, COPY_MAX_MS, () => {
      this.fail(new Error(`the process was not copied within ${COPY_MAX_MS} ms`));
      this.letGo();
    });
  }

  /** The process was let go: what explains it need give way to nobody any more, while a spool is compressed. */
  hurry(): void {
    this.process?.hurry();
  }

  /** The bug's id, perhaps long before the summary; undefined where the summary is asked for before it is known. */
  bug(): Promise<string | undefined> {
    const told = Promise.withResolvers<string | undefined>();
    const timer = setInterval(() => {
      const bug = this.isOver ? undefined : this.process?.bug;
      if (bug === undefined && !this.isOver) return;
      clearInterval(timer);
      told.resolve(bug);
    }, BUG_LOOK_MS);
    return told.promise;
  }

  /** The summary; undefined where there is none, which dump-info then lists. `log` is the container's, or its end. */
  async finish(log: Uint8Array): Promise<Explained | undefined> {
    const { attempts, deadline, timeoutSeconds } = this.context;
    const running = this.process;
    this.isOver = true;
    this.letGo();
    if (running === undefined) return undefined;
    const stop = untilAborted(deadline).then(() => Bun.sleep(DEADLINE_GRACE_MS));
    return attempts.attempt(
      SUMMARY_LABEL,
      () => running.finish(log, timeoutSeconds * 1000, stop),
      undefined,
    );
  }

  /** The dump is left out, or failed: nobody waits for a summary. */
  async abandon(): Promise<void> {
    this.isOver = true;
    this.letGo();
    await this.process?.end();
    this.process = undefined;
  }

  private async copyAndStart(): Promise<void> {
    const [head, space] = [this.head, this.space];
    if (head === undefined || space === undefined) return;
    let copy: HeldCopy | undefined;
    try {
      copy = await this.copyHeld(head, space);
      if (copy !== undefined && !this.isLetGo) {
        this.context.modules?.start(copy);
        this.process = this.start(copy, head, space);
      }
    } catch (error) {
      this.fail(error);
    }
    // The explainer has its own by now.
    for (const fd of copy?.descriptors ?? []) closeSync(fd);
    this.letGo();
  }

  /** undefined for what is no ELF core; dump-info says so already. */
  private async copyHeld(head: CoreHead, space: number): Promise<HeldCopy | undefined> {
    const { held, file, procDir, crash } = this.context;
    const facts = head.read();
    if (facts === undefined) return undefined;
    if (file !== undefined) return copyOfCoreFile(facts, file, head.sizeBytes);
    if (held === undefined) throw new Error("no process is held whose memory could be copied");
    if (facts.threads.length === 0) throw new Error("its core does not begin with its notes");
    const tid = crash.hostTid ?? held.pid;
    const pages = openHeldPages(procDir, held, tid, facts.pageBytes);
    this.copier = new HeldCopier({ procDir, held, tid, pages, space, startBytes: head.sizeBytes });
    return this.copier.run(facts, crash.dumpable === 1);
  }

  private start(copy: HeldCopy, head: CoreHead, space: number): ExplainerProcess | undefined {
    const { command, file, timeoutSeconds, isUrgent, crash } = this.context;
    if (command === undefined) return undefined;
    const { ranges, modules, threadNames, descriptors, endBytes } = copy;
    const mayShowMemory = crash.dumpable === 1;
    const table = {
      headBytes: head.sizeBytes,
      coreFd: file === undefined ? null : FIRST_MODULE_FD + descriptors.length,
      mayShowMemory,
      ranges,
      modules,
      threadNames,
    };
    const end = formatExcerptEnd(table, endBytes);
    writeSync(space, end, 0, end.length, endBytes);
    const words = [...command, String(timeoutSeconds)];
    // As stdin the core has a number that a child's own stdin takes before it is handed on.
    const core = file === undefined ? [] : [openSync(`/proc/self/fd/${file.fd}`, "r")];
    try {
      return new ExplainerProcess(words, [space, ...descriptors, ...core], isUrgent);
    } finally {
      for (const fd of core) closeSync(fd);
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
    const { attempts, command } = this.context;
    const label = command === undefined ? MODULES_LABEL : SUMMARY_LABEL;
    if (!this.hasFailed) attempts.record(label, describeError(error));
    this.hasFailed = true;
    this.head = undefined;
  }

  /** Everything but the explainer itself. */
  private letGo(): void {
    this.isLetGo = true;
    this.copier?.stop();
    this.head = undefined;
    if (this.space !== undefined) closeSync(this.space);
    this.space = undefined;
  }
}
