// Has the files that a crashed process had mapped kept for debuggers: a process of its own identifies them beside the
// drain, and copies the new ones when the dump is published. This side starts it, waits for the identities for a bounded
// time, and never for the copying. Whatever happens costs the dump its list of modules only.
import { within } from "../../host/timer.ts";
import { bringForward, setAside } from "../../host/process-priority.ts";
import { describeError } from "../../model/app-error.ts";
import type { DumpOwner } from "../../model/dump-owner.ts";
import { ALL_ANSWERED, parseModuleAnswer, type ListedModule } from "../../model/module-list.ts";
import type { Attempts } from "../attempt.ts";
import type { HeldCopy } from "../summary/held-copy.ts";
import { formatKeepOrder, type KeepOrder } from "./keep-order.ts";

/** The name in dump-info's `missing`. */
export const MODULES_LABEL = "modules";

/** What the keeping needs. */
export interface ModuleKeepingContext {
  order: Omit<KeepOrder, "files">;
  /** False: the program alone. */
  takesLibraries: boolean;
  timeoutMs: number;
  attempts: Attempts;
  /** What starts the process; the order is added. */
  command: readonly string[];
}

type Child = Bun.Subprocess<"pipe", "pipe", "ignore">;
type Taken = Pick<HeldCopy, "modules" | "paths" | "descriptors" | "program">;
type Place = Pick<ListedModule, "start" | "end" | "path">;

/** The keeping of one crash's modules. No call throws. */
export class ModuleKeeping {
  private readonly context: ModuleKeepingContext;
  private child: Child | undefined;
  private answers: Promise<void> = Promise.resolve();
  private places: Place[] = [];
  private readonly found: ListedModule[] = [];
  private isDone = false;

  constructor(context: ModuleKeepingContext) {
    this.context = context;
  }

  /** Starts behind all other work. The descriptors stay the caller's. */
  start({ modules, paths, descriptors, program }: Taken): void {
    const { command, order, takesLibraries, attempts } = this.context;
    const wanted = modules.flatMap((place, index) =>
      takesLibraries || index === program
        ? [{ ...place, path: paths[index] ?? "", descriptor: descriptors[index] ?? -1 }]
        : [],
    );
    if (wanted.length === 0) {
      const why = takesLibraries
        ? "no file that the process had mapped could be opened"
        : "it is not known which of the mapped files is the program";
      attempts.record(MODULES_LABEL, why);
      return;
    }
    this.places = wanted.map(({ start, end, path }) => ({ start, end, path }));
    try {
      this.child = Bun.spawn([...command, formatKeepOrder({ ...order, files: wanted.length })], {
        // The composer is known by its name; this is another role of the same executable.
        argv0: "core-dump-handler",
        cwd: "/",
        env: {},
        // Not our stdin: as long as anybody has that open, the crashed process is held.
        stdio: ["pipe", "pipe", "ignore", ...wanted.map(({ descriptor }) => descriptor)],
      });
      setAside(this.child.pid);
      this.answers = this.readAnswers(this.child);
    } catch (error) {
      attempts.record(MODULES_LABEL, describeError(error));
    }
  }

  /** Waits for the identities, and returns those that came in time. The crashed process was let go. */
  async listed(stop: Promise<void>): Promise<ListedModule[]> {
    const { child } = this;
    if (child === undefined) return [];
    bringForward(child.pid);
    await within(Promise.race([this.answers, stop]), this.context.timeoutMs, () => undefined);
    if (!this.isDone) {
      const why = "not all mapped files could be read in time";
      this.context.attempts.record(MODULES_LABEL, why);
    }
    const left = this.found.filter(({ left_out }) => left_out !== null);
    const [first] = left;
    if (first?.left_out !== undefined && first.left_out !== null) {
      const others = left.length === 1 ? "" : ` (and ${left.length - 1} more are left out)`;
      this.context.attempts.record(MODULES_LABEL, `${first.path}: ${first.left_out}${others}`);
    }
    return [...this.found];
  }

  /** The dump is published: lets the process copy what is new, behind all other work. Waits for nothing. */
  keep(owner: DumpOwner): void {
    const { child } = this;
    if (child === undefined) return;
    setAside(child.pid);
    void tell(child, `${JSON.stringify(owner)}\n`);
    // The descriptor of its answers must not keep this process alive, nor this process its end.
    child.unref();
    this.child = undefined;
  }

  /** The dump is left out, or failed: nothing of it is kept. */
  abandon(): void {
    this.child?.kill("SIGKILL");
    this.child = undefined;
  }

  private async readAnswers({ stdout }: Child): Promise<void> {
    try {
      const decoder = new TextDecoder();
      let text = "";
      for await (const chunk of stdout) {
        text += decoder.decode(chunk, { stream: true });
        const lines = text.split("\n");
        text = lines.pop() ?? "";
        for (const line of lines) this.take(line);
        if (this.isDone) return;
      }
    } catch (error) {
      this.context.attempts.record(MODULES_LABEL, describeError(error));
    }
  }

  private take(line: string): void {
    if (line === ALL_ANSWERED) {
      this.isDone = true;
      return;
    }
    const answer = parseModuleAnswer(line);
    const place = answer === undefined ? undefined : this.places[answer.index];
    if (answer === undefined || answer.module === null || place === undefined) return;
    this.found.push({ ...place, ...answer.module });
  }
}

async function tell({ stdin }: Child, line: string): Promise<void> {
  try {
    void stdin.write(line);
    await stdin.end();
  } catch {
    // It has ended.
  }
}
