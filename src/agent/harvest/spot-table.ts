// The table of all spots with their watches. Passes the cores that it finds to the queue. Logs, counts and leaves
// alone files that cannot be the kernel's.
import { closeSync } from "node:fs";
import { describeError } from "../../model/app-error.ts";
import { LastingStates } from "../../host/lasting-states.ts";
import type { Log } from "../../host/log.ts";
import type { AgentMetrics } from "../metrics/agent-metrics.ts";
import type { ContainerRecord } from "./containers.ts";
import { fileOf, type CoreQueue } from "./core-queue.ts";
import { findCore } from "./found-core.ts";
import type { HarvestState } from "./harvest-state.ts";
import { isVisible, listCoreNames, openSpot, spotOf, type Spot } from "./spots.ts";
import type { Watches } from "./watches.ts";

/** What the table needs. */
export interface SpotTableContext {
  watches: Watches;
  queue: CoreQueue;
  state: HarvestState;
  /** Returns whether a name is a canary's that the doctor waits for; the doctor takes its core. */
  isCanary: (exeName: string) => boolean;
  metrics: Pick<AgentMetrics, "coreFiles">;
  log: Log;
}

/** How many refused files of one spot are logged, because its owner can make any number. */
const REFUSALS_SAID_MAX = 5;
const REFUSALS_MAX = 1_000;

/** The table. */
export class SpotTable {
  private readonly context: SpotTableContext;
  private readonly spots = new Map<string, Spot>();
  private readonly refused = new Map<Spot, Set<string>>();
  /** Spots that cannot be opened, by path. */
  private readonly failures = new LastingStates();
  private isUnseenSaid = false;

  constructor(context: SpotTableContext) {
    this.context = context;
  }

  /** Adds the host's own /tmp, or another directory outside containers. */
  addDirectory(path: string): void {
    this.open({ path, isLayer: false, owners: new Map() });
  }

  addContainer(record: ContainerRecord): void {
    const made = spotOf(record.place);
    if (made === undefined) return;
    const spot = this.spots.get(made.path) ?? made;
    spot.owners.set(record.id, record);
    if (spot !== made) return;
    if (!isVisible(spot)) this.sayUnseen(record, spot.path);
    this.open(spot);
  }

  removeContainer(record: ContainerRecord): void {
    for (const spot of this.spots.values()) {
      if (!spot.owners.delete(record.id) || spot.owners.size > 0) continue;
      this.context.watches.remove(spot);
      this.spots.delete(spot.path);
      this.refused.delete(spot);
      this.failures.end(spot.path);
    }
  }

  lookAtContainer(id: string): void {
    for (const spot of this.spots.values()) if (spot.owners.has(id)) this.look(spot);
  }

  lookEverywhere(): void {
    for (const spot of this.spots.values()) this.look(spot);
  }

  /** Looks at every name in a spot that may be a core's. */
  look(spot: Spot): void {
    this.within(spot, (directory) => this.findAll(spot, directory, listCoreNames(directory)));
  }

  /** Looks at names that appeared in a spot. */
  find(spot: Spot, names: readonly Buffer[]): void {
    this.within(spot, (directory) => this.findAll(spot, directory, names));
  }

  refuse(spot: Spot, name: Buffer, key: string, why: string): void {
    const known = this.refused.get(spot) ?? new Set();
    this.refused.set(spot, known);
    if (known.has(key)) return;
    if (known.size >= REFUSALS_MAX) known.clear();
    known.add(key);
    this.context.metrics.coreFiles.add(1, { outcome: "refused" });
    if (known.size <= REFUSALS_SAID_MAX)
      this.context.log.warn("core_file_refused", { file: fileOf({ spot, name }), because: why });
  }

  private open(spot: Spot): void {
    this.spots.set(spot.path, spot);
    this.context.watches.add(spot);
    this.look(spot);
  }

  /** Opens a spot for `body`. Logs a directory that cannot be opened; the next look tries it again. */
  private within(spot: Spot, body: (directory: number) => void): void {
    let directory: number | undefined;
    try {
      directory = openSpot(spot);
      if (directory !== undefined) body(directory);
      this.failures.end(spot.path);
    } catch (error) {
      this.sayFailed(spot, error);
    } finally {
      if (directory !== undefined) closeSync(directory);
    }
  }

  private findAll(spot: Spot, directory: number, names: readonly Buffer[]): void {
    const { queue, state, isCanary } = this.context;
    for (const name of names) {
      if (!queue.hasRoomFor(spot)) return;
      const finding = findCore(spot, directory, name);
      if (finding.kind === "refused") this.refuse(spot, name, finding.key, finding.why);
      if (finding.kind !== "core") continue;
      const { core } = finding;
      const isRefused = this.refused.get(spot)?.has(core.key) === true;
      if (state.isLeft(core.key) || isRefused || isCanary(core.facts.exeName)) {
        closeSync(core.fd);
        continue;
      }
      for (const { id } of core.owners) state.noteCore(id, core.facts.signal);
      queue.add(core);
    }
  }

  private sayFailed(spot: Spot, error: unknown): void {
    const text = describeError(error);
    if (!this.failures.isNews(spot.path, text)) return;
    this.context.log.warn("core_place_failed", { path: spot.path, error: text });
  }

  /**
   * Logs once that containers cannot be seen: it is the same for all containers of the node until the pod is changed.
   */
  private sayUnseen(record: ContainerRecord, path: string): void {
    record.place = { kind: "none", why: `${path} cannot be seen from here` };
    // A pod that has ended loses its emptyDir volumes at once, and its containers some time later.
    if (this.isUnseenSaid || record.exit !== undefined) return;
    this.isUnseenSaid = true;
    const hint = "mount the host's directory at the same path into the agent's pod";
    this.context.log.error("core_place_unseen", { path, hint });
  }
}
