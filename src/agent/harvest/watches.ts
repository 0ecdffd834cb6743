// Watches every spot and containerd's directory of tasks with inotify. Reports new core files, lost events, and
// started or ended containers. After a lost event the whole spot is looked at.
import { closeSync } from "node:fs";
import { Inotify } from "../../host/inotify.ts";
import { errnoOf } from "../../model/app-error.ts";
import { isCoreFileName, openLayerRoot, openSpot, TMP_NAME, type Spot } from "./spots.ts";

/** What happened since the last turn. */
export interface Sightings {
  /** The names that appeared, each once for a spot. */
  names: Map<Spot, Buffer[]>;
  /** Spots that must be looked at as a whole. */
  stale: Set<Spot>;
  /** True where containers have started or ended. */
  containersChanged: boolean;
}

/** All watches of the harvest. */
export class Watches {
  /** undefined where the user has too many instances (fs.inotify.max_user_instances). */
  private readonly inotify: Inotify | undefined;
  /** The spots by inotify's number; two spots may be one directory (an emptyDir of two containers). */
  private readonly roots = new Map<number, Set<Spot>>();
  private readonly directories = new Map<number, Set<Spot>>();
  private tasks: number | undefined;
  /** Called once when inotify fails; only the refreshes remain then. */
  private readonly onFailure: (error: unknown) => void;

  private constructor(inotify: Inotify | undefined, onFailure: (error: unknown) => void) {
    this.inotify = inotify;
    this.onFailure = onFailure;
  }

  /** Never throws: where no instance is to be had, onFailure gets the reason, and nothing is watched. */
  static open(onFailure: (error: unknown) => void, openInotify = () => Inotify.open()): Watches {
    try {
      return new Watches(openInotify(), onFailure);
    } catch (error) {
      onFailure(error);
      return new Watches(undefined, onFailure);
    }
  }

  /** False where inotify does not work, so that the harvest must look again and again. */
  get isWatching(): boolean {
    return this.inotify !== undefined;
  }

  /**
   * Watches containerd's directory of tasks. "began": the watch is new, and earlier events are unknown. "missing":
   * there is no directory yet, which containerd makes with the node's first container.
   */
  watchTasks(path: string): "began" | "watched" | "missing" {
    const inotify = this.inotify;
    if (this.tasks !== undefined) return "watched";
    if (inotify === undefined) return "missing";
    this.attempt(() => {
      const directory = openLayerRoot(path);
      try {
        this.tasks = inotify.watch(directory, { andGo: true });
      } finally {
        closeSync(directory);
      }
    });
    return this.tasks === undefined ? "missing" : "began";
  }

  /** Watches a spot: the layer's root, where /tmp may be made or replaced, and /tmp itself. */
  add(spot: Spot): void {
    this.attempt(() => {
      if (spot.isLayer) this.watch(this.roots, openLayerRoot(spot.path), spot);
      const directory = openSpot(spot);
      if (directory !== undefined) this.watch(this.directories, directory, spot);
    });
  }

  remove(spot: Spot): void {
    this.unwatch(this.roots, spot);
    this.unwatch(this.directories, spot);
  }

  /** Returns what happened since the last turn. Never waits. */
  turn(): Sightings {
    const seen: Sightings = { names: new Map(), stale: new Set(), containersChanged: false };
    for (const event of this.inotify?.read() ?? []) {
      if (event.kind === "overflow") {
        for (const spots of this.directories.values())
          for (const spot of spots) seen.stale.add(spot);
        seen.containersChanged = true;
      } else if (event.kind === "gone") {
        this.roots.delete(event.watch);
        this.directories.delete(event.watch);
        if (event.watch === this.tasks) this.tasks = undefined;
      } else if (event.watch === this.tasks) seen.containersChanged = true;
      else this.notice(seen, event.watch, event.name);
    }
    return seen;
  }

  close(): void {
    this.inotify?.close();
  }

  private notice(seen: Sightings, watch: number, name: Buffer): void {
    if (name.equals(TMP_NAME))
      for (const spot of this.roots.get(watch) ?? []) {
        // /tmp may be another directory now; the old watch goes, so that a spot has one.
        this.unwatch(this.directories, spot);
        this.add(spot);
        seen.stale.add(spot);
      }
    if (!isCoreFileName(name)) return;
    for (const spot of this.directories.get(watch) ?? []) {
      const names = seen.names.get(spot) ?? [];
      seen.names.set(spot, names);
      if (!names.some((other) => other.equals(name))) names.push(name);
    }
  }

  private watch(table: Map<number, Set<Spot>>, directory: number, spot: Spot): void {
    try {
      const watch = this.inotify?.watch(directory);
      if (watch === undefined) return;
      const spots = table.get(watch) ?? new Set();
      table.set(watch, spots.add(spot));
    } finally {
      closeSync(directory);
    }
  }

  private unwatch(table: Map<number, Set<Spot>>, spot: Spot): void {
    for (const [watch, spots] of table) {
      if (!spots.delete(spot) || spots.size > 0) continue;
      table.delete(watch);
      this.inotify?.unwatch(watch);
    }
  }

  private attempt(fn: () => void): void {
    try {
      fn();
    } catch (error) {
      // The directory no longer exists, so no event can come from it.
      if (errnoOf(error) !== "ENOENT") this.onFailure(error);
    }
  }
}
