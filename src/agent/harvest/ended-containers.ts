// Reports each ended container once that should have left a core and did not.
import { signalName } from "../../model/signal-name.ts";
import type { Log } from "../../host/log.ts";
import type { AgentMetrics } from "../metrics/agent-metrics.ts";
import type { ContainerRecord } from "./containers.ts";
import type { HarvestState } from "./harvest-state.ts";
import { dumpingSignalOf, findReason } from "./missing-core.ts";

/** What the reports need. */
export interface EndedContext {
  state: HarvestState;
  metrics: Pick<AgentMetrics, "coresNotLeft">;
  log: Log;
  /** Looks once more for the container's cores. */
  look: (id: string) => void;
}

/**
 * How long to wait before a container is judged, in ms. The dump ends before the container does; this leaves time for a
 * slow look.
 */
const GRACE_MS = 3_000;

/** The containers that have ended and are not judged yet. */
export class EndedContainers {
  private readonly context: EndedContext;
  /** When each container is judged, in ms. */
  private readonly due = new Map<ContainerRecord, number>();

  constructor(context: EndedContext) {
    this.context = context;
  }

  note(record: ContainerRecord, nowMs: number): void {
    const { exit } = record;
    if (exit === undefined || dumpingSignalOf(exit.exitCode) === undefined) return;
    if (exit.finishedMs < this.context.state.sinceMs) return;
    this.due.set(record, nowMs + GRACE_MS);
  }

  /** Judges the containers whose time has come. */
  turn(nowMs: number): void {
    for (const [record, dueMs] of this.due) if (nowMs >= dueMs) this.judge(record);
  }

  /** Judges a container at once, because it no longer exists and no core of it can appear. */
  judge(record: ContainerRecord): void {
    if (!this.due.delete(record)) return;
    const { state, metrics, log, look } = this.context;
    const signal = dumpingSignalOf(record.exit?.exitCode ?? 0);
    if (signal === undefined || state.isReported(record.id)) return;
    look(record.id);
    if (state.hasCore(record.id, signal)) return;
    state.noteReport(record.id);
    const { namespace, podname, name } = record;
    metrics.coresNotLeft.add(1, { namespace });
    log.warn("core_not_left", {
      namespace,
      pod: podname,
      container: name,
      signal: signalName(signal),
      because: findReason(record),
    });
  }
}
