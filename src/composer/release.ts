// Releases the crashed process: closes the input, and kills the process where the kernel does not notice that.
import type { ComposerLog } from "../host/composer-log.ts";
import { endDumping, pinHeld, type HeldProcess } from "../host/held-process.ts";
import type { CoreInput } from "./core-input.ts";

/**
 * How long the kernel gets, in ms, to notice the closed input, which it does at its next write. A killed process ends
 * with SIGKILL instead of its own signal.
 */
const NOTICE_MS = 1_000;
const PROC_DIR = "/proc";

/** The release of one crashed process. */
export class Release {
  private readonly core: CoreInput;
  private readonly held: HeldProcess | undefined;
  private readonly log: ComposerLog;
  private ending: Promise<void> | undefined;

  private constructor(core: CoreInput, held: HeldProcess | undefined, log: ComposerLog) {
    this.core = core;
    this.held = held;
    this.log = log;
  }

  /**
   * Pins the process, which the kernel must still hold. hostPid is null where no process is held or its pid is unknown.
   */
  static pin(core: CoreInput, hostPid: number | null, log: ComposerLog): Release {
    return new Release(core, hostPid === null ? undefined : pinHeld(PROC_DIR, hostPid), log);
  }

  /** The process, until it is let go; undefined where nobody is held. */
  get process(): HeldProcess | undefined {
    return this.held;
  }

  /** Closes the input and returns at once. */
  letGo(): void {
    this.core.close();
    this.ending ??= this.core.hasEnded ? Promise.resolve() : this.end();
  }

  /** Settles soon after letGo, when the process no longer dumps or has been killed. */
  async settled(): Promise<void> {
    await this.ending;
  }

  private async end(): Promise<void> {
    if (this.held === undefined) return;
    const end = await endDumping(PROC_DIR, this.held, NOTICE_MS);
    const { pid } = this.held;
    if (end === "killed") this.log.milestone("warn", "process_killed", { host_pid: pid });
    if (end === "refused") this.log.milestone("error", "process_not_killed", { host_pid: pid });
  }
}
