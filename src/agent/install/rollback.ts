// A list of ways back: each step that changes the host adds one, and an error runs them, newest first.
import { describeError } from "../../model/app-error.ts";
import type { Log } from "../../host/log.ts";

export class Rollback {
  readonly #steps: { what: string; undo: () => Promise<unknown> }[] = [];

  /** Call it right after the change that `undo` takes back. */
  add(what: string, undo: () => Promise<unknown>): void {
    this.#steps.push({ what, undo });
  }

  /** Undoes everything. A step that fails is said and does not stop the others. */
  async run(log: Log): Promise<void> {
    for (const { what, undo } of this.#steps.splice(0).reverse()) {
      try {
        await undo();
        log.info("rolled_back", { what });
      } catch (error) {
        log.error("rollback_failed", { what, error: describeError(error) });
      }
    }
  }
}
