// The crashed process let go: its input closed, and where the kernel does not notice that, the process killed.
import type { ComposerLog } from "../host/composer-log.ts";
import { endDumping, pinHeld, type HeldProcess } from "../host/held-process.ts";
import type { CoreInput } from "./core-input.ts";

/**
 * The kernel notices a closed input with its next write. Killed, the process would end by SIGKILL instead of its own
 * signal.
 */
const NOTICE_MS = 1_000;
const PROC_DIR = "/proc";

export class Release {
  private readonly core: CoreInput;
  private readonly held: HeldProcess | undefined;
  private readonly log: ComposerLog;
  private ending: Promise<void> | undefined;

  /** hostPid: null where nobody is held, or nobody knows who. The process must still be held. */
  constructor(core: CoreInput, hostPid: number | null, log: ComposerLog) {
    this.core = core;
    this.held = hostPid === null ? undefined : pinHeld(PROC_DIR, hostPid);
    this.log = log;
  }

  /** Waits for nothing. */
  letGo(): void {
    this.core.close();
    this.ending ??= this.core.hasEnded ? Promise.resolve() : this.end();
  }

  /** When the process dumps no more, or has been killed; soon after letGo. */
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
