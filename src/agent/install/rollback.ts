// A list of undo steps. Each change to the host adds one, and after an error they run, the newest first.
import { describeError } from "../../model/app-error.ts";
import type { Log } from "../../host/log.ts";

/** The undo steps of one install. */
export class Rollback {
  private readonly steps: { what: string; undo: () => Promise<unknown> }[] = [];

  /** Adds a step; the caller calls it right after the change. */
  add(what: string, undo: () => Promise<unknown>): void {
    this.steps.push({ what, undo });
  }

  /** Runs all steps. Logs a step that fails and continues with the others. */
  async run(log: Log): Promise<void> {
    for (const { what, undo } of this.steps.splice(0).reverse()) {
      try {
        await undo();
        log.info("rolled_back", { what });
      } catch (error) {
        log.error("rollback_failed", { what, error: describeError(error) });
      }
    }
  }
}
