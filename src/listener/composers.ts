// Starts the worker's composers and watches them. Runs no more at once than core_pipe_limit allows. Kills a composer
// after a deadline, which closes its connection, so that no crashed process is held for ever. Further crashes wait for
// their turn, fair by pod.
import { closeSync } from "node:fs";
import { setPriority } from "node:os";
import { endDumping, pinHeld, type HeldProcess } from "../host/held-process.ts";
import { describeComposerEnd, recordBadEnd } from "../host/lost-crash.ts";
import type { Log } from "../host/log.ts";
import { describeError, EXIT } from "../model/app-error.ts";
import { startComposer, type ComposerProcess, type ComposerEnd } from "./composer-process.ts";
import { nameOf, podOf } from "./crashed-process.ts";
import { FairQueue } from "./fair-queue.ts";
import { watchLimits, type LimitsWatch } from "./composer-limits.ts";

/** Where the composers run. */
export interface ComposersContext {
  hostDir: string;
  procRoot: string;
  executable: string;
  log: Log;
}

interface Crash {
  connection: number;
  pid: number;
  held: HeldProcess | undefined;
  onLost: (why: string) => void;
}

interface Waiting extends Crash {
  untilMs: number;
}

/** A composer ends by itself at its TIMEOUT; this many ms later the worker kills it. */
const SLACK_MS = 10_000;
/** How many crashes may wait for a composer; each costs a descriptor. */
const WAITING_MAX = 512;
/**
 * How long the kernel gets, in ms, to notice a closed connection, which it does at its next write. A composer that
 * ended well has waited for that itself.
 */
const NOTICE_MS = 2_000;
/** The composers' nice value (nice(2)): each gets a third of the worker's share of a busy processor. */
const COMPOSER_NICE = 5;
const PROC_DIR = "/proc";

/** All composers of one worker. */
export class Composers {
  private readonly context: ComposersContext;
  private readonly running = new Map<number, ComposerProcess>();
  private readonly queue = new FairQueue<Waiting>(WAITING_MAX);
  /** The work that remains for crashes whose composers have ended. */
  private readonly ending = new Set<Promise<void>>();
  private readonly limits: LimitsWatch;

  constructor(context: ComposersContext) {
    this.context = context;
    this.limits = watchLimits(context.hostDir, context.procRoot);
  }

  /** How many crashes run, wait, or still have such work. */
  get count(): number {
    return this.running.size + this.ending.size + this.queue.size;
  }

  get waiting(): number {
    return this.queue.size;
  }

  has(pid: number): boolean {
    return this.running.has(pid);
  }

  /** Takes over a connection. Calls onLost with the reason where no composer will handle it. */
  take(connection: number, pid: number, onLost: (why: string) => void): void {
    const { atOnce, timeoutMs } = this.limits.current;
    const crash = { connection, pid, held: pinHeld(PROC_DIR, pid), onLost };
    if (this.queue.size === 0 && this.hasRoom(atOnce)) return this.start(crash);
    this.context.log.warn("dump_waits", { host_pid: pid, at_once: atOnce });
    const waiting = { ...crash, untilMs: performance.now() + timeoutMs };
    const given = this.queue.put(podOf(PROC_DIR, pid), waiting);
    if (given !== undefined)
      this.lose(given, `${atOnce} dumps are under way and ${WAITING_MAX} wait, most of its pod's`);
  }

  /** Starts composers for waiting crashes as far as there is room, and drops crashes that have waited too long. */
  advance(): void {
    if (this.queue.size === 0) return;
    const { atOnce } = this.limits.current;
    for (const late of this.queue.takeWhere(({ untilMs }) => performance.now() > untilMs))
      this.lose(late, "no composer was free before the deadline");
    while (this.hasRoom(atOnce)) {
      const next = this.queue.take();
      if (next === undefined) return;
      this.start(next);
    }
  }

  /** Settles when all composers that run now have ended and the bad ends are recorded. */
  async settled(): Promise<void> {
    await Promise.all([...this.running.values()].map(({ ended }) => ended));
    await Promise.all(this.ending);
  }

  /** Reads anew what the host allows. Never throws; never ends where the disk hangs. */
  refresh(): Promise<void> {
    return this.limits.refresh();
  }

  tellAll(signal: NodeJS.Signals): void {
    for (const child of this.running.values()) child.kill(signal);
  }

  private hasRoom(atOnce: number): boolean {
    return atOnce === 0 || this.running.size < atOnce;
  }

  private start(crash: Crash): void {
    const { timeoutMs } = this.limits.current;
    let child: ComposerProcess;
    // Reads the name while the process exists, because the composer may never read it.
    const exe = nameOf(PROC_DIR, crash.pid);
    try {
      child = startComposer(this.context, crash.connection);
    } catch (error) {
      return this.lose(crash, `no composer could be started: ${describeError(error)}`);
    }
    // The composer has its own descriptor; with this one open, the crashed process would wait for the worker.
    closeSync(crash.connection);
    giveWay(child.pid);
    this.running.set(child.pid, child);
    const killer = setTimeout(() => {
      this.context.log.error("composer_overdue", { pid: child.pid });
      child.kill("SIGKILL");
    }, timeoutMs + SLACK_MS);
    void child.ended.then((end) => {
      clearTimeout(killer);
      this.running.delete(child.pid);
      const done = Promise.all([this.free(crash), this.judge(end, child.uuid, crash.pid, exe)])
        .then(() => undefined)
        .finally(() => this.ending.delete(done));
      this.ending.add(done);
    });
  }

  /** Records a composer that ended badly, because it may have recorded nothing itself. */
  private async judge(end: ComposerEnd, uuid: string, pid: number, exe: string): Promise<void> {
    if (end.exitCode === EXIT.done || end.exitCode === EXIT.deadline) return;
    const error = describeComposerEnd(end, await end.stderr);
    this.context.log.warn("composer_failed", { uuid, host_pid: pid, error });
    const crash = { uuid, source: "socket", exe, hostPid: pid } as const;
    await recordBadEnd(this.context.hostDir, this.limits.current.coreDir, crash, error);
  }

  private lose(crash: Crash, why: string): void {
    crash.onLost(why);
    closeSync(crash.connection);
    void this.free(crash);
  }

  /**
   * Ends the dump of a crash whose core no one reads any more. In a mapping that is all holes the kernel would not
   * notice that for hours.
   */
  private async free({ held, pid }: Crash): Promise<void> {
    if (held === undefined) return;
    const end = await endDumping(PROC_DIR, held, NOTICE_MS);
    if (end === "killed") this.context.log.warn("process_killed", { host_pid: pid });
    if (end === "refused") this.context.log.error("process_not_killed", { host_pid: pid });
  }
}

/**
 * Lowers a composer's priority, so that the worker gets processor time however many composers run. The keeper takes a
 * silent worker for dead, and crashes would be lost.
 */
function giveWay(pid: number): void {
  try {
    setPriority(pid, COMPOSER_NICE);
  } catch {
    // The process has ended already.
  }
}
