// The composers that the worker has started: no more at once than core_pipe_limit allows, each with a deadline
// after which its connection is closed, whatever it does, so that no crashed process is held for ever.
import { closeSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnvFile } from "../config/env-file.ts";
import { readComposerSettings } from "../config/composer-settings.ts";
import type { Log } from "../host/log.ts";
import { describeError } from "../model/app-error.ts";
import { CORE_PIPE_LIMIT } from "../model/sysctls.ts";

export interface ComposersContext {
  hostDir: string;
  procRoot: string;
  executable: string;
  log: Log;
}

interface Waiting {
  connection: number;
  pid: number;
  untilMs: number;
  onLost: (why: string) => void;
}

/** A composer ends by itself at its TIMEOUT; this much later it is killed. */
const SLACK_MS = 10_000;
/** Crashes that may wait for a composer; descriptors are what they cost. */
const WAITING_MAX = 512;
const LIMITS_KEPT_MS = 1_000;

type Child = ReturnType<typeof spawnComposer>;

export class Composers {
  private readonly context: ComposersContext;
  private readonly running = new Map<number, Child>();
  private readonly queue: Waiting[] = [];
  private limits = { atOnce: 0, timeoutMs: 0, readMs: Number.NEGATIVE_INFINITY };

  constructor(context: ComposersContext) {
    this.context = context;
  }

  /** Running and waiting. */
  get count(): number {
    return this.running.size + this.queue.length;
  }

  get waiting(): number {
    return this.queue.length;
  }

  has(pid: number): boolean {
    return this.running.has(pid);
  }

  /** Takes over the connection. onLost is called where nothing will come of it. */
  take(connection: number, pid: number, onLost: (why: string) => void): void {
    const { atOnce, timeoutMs } = this.readLimits();
    if (this.queue.length === 0 && this.hasRoom(atOnce)) return this.start(connection, onLost);
    if (this.queue.length >= WAITING_MAX) {
      onLost(`${atOnce} dumps are under way and ${WAITING_MAX} wait`);
      closeSync(connection);
      return;
    }
    this.context.log.warn("dump_waits", { host_pid: pid, at_once: atOnce });
    this.queue.push({ connection, pid, untilMs: performance.now() + timeoutMs, onLost });
  }

  /** Starts what waits as far as there is room, and gives up what has waited too long. */
  advance(): void {
    if (this.queue.length === 0) return;
    const { atOnce } = this.readLimits();
    for (let next = this.queue[0]; next !== undefined; next = this.queue[0]) {
      const isLate = performance.now() > next.untilMs;
      if (!isLate && !this.hasRoom(atOnce)) return;
      this.queue.shift();
      if (isLate) {
        next.onLost("no composer was free before the deadline");
        closeSync(next.connection);
      } else this.start(next.connection, next.onLost);
    }
  }

  tellAll(signal: NodeJS.Signals): void {
    for (const child of this.running.values()) child.kill(signal);
  }

  private hasRoom(atOnce: number): boolean {
    return atOnce === 0 || this.running.size < atOnce;
  }

  private start(connection: number, onLost: (why: string) => void): void {
    try {
      const child = spawnComposer(this.context, connection);
      this.running.set(child.pid, child);
      const killer = setTimeout(() => {
        this.context.log.error("composer_overdue", { pid: child.pid });
        child.kill("SIGKILL");
      }, this.readLimits().timeoutMs + SLACK_MS);
      void child.exited.then(() => {
        clearTimeout(killer);
        this.running.delete(child.pid);
      });
    } catch (error) {
      onLost(`no composer could be started: ${describeError(error)}`);
    } finally {
      // The composer has its own: with ours open, the crashed process would wait for us.
      closeSync(connection);
    }
  }

  /** As the host has them now: core_pipe_limit, and TIMEOUT from `.env`. */
  private readLimits() {
    if (performance.now() - this.limits.readMs < LIMITS_KEPT_MS) return this.limits;
    const { hostDir, procRoot } = this.context;
    const env = readIfThere(join(hostDir, ".env"));
    const { settings } = readComposerSettings(parseEnvFile(env));
    this.limits = {
      atOnce: Number(readIfThere(join(procRoot, "sys", CORE_PIPE_LIMIT.path))) || 0,
      timeoutMs: settings.TIMEOUT * 1000,
      readMs: performance.now(),
    };
    return this.limits;
  }
}

function spawnComposer({ executable, hostDir }: ComposersContext, connection: number) {
  return Bun.spawn([executable, "composer", `--host-dir=${hostDir}`, "--source=socket"], {
    cwd: "/",
    env: {},
    stdio: [connection, "ignore", "ignore"],
  });
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // defaults then
  }
}
