// inotify on every spot, and on containerd's directory of tasks: which core files appeared, where events were lost,
// and whether containers came or went. A lost event is made good by a look at the whole spot.
import { closeSync } from "node:fs";
import { Inotify } from "../../host/inotify.ts";
import { errnoOf } from "../../model/app-error.ts";
import { isCoreName, openLayerRoot, openSpot, TMP_NAME, type Spot } from "./spots.ts";

export interface Sightings {
  /** Core files that appeared, each name once a spot. */
  names: Map<Spot, Buffer[]>;
  /** Spots to be looked at as a whole. */
  stale: Set<Spot>;
  /** Containers were started or have ended. */
  containersChanged: boolean;
}

export class Watches {
  /** undefined where the user has too many already (fs.inotify.max_user_instances). */
  readonly #inotify: Inotify | undefined;
  /** By inotify's number: two spots may be one directory (an emptyDir of two containers). */
  readonly #roots = new Map<number, Set<Spot>>();
  readonly #directories = new Map<number, Set<Spot>>();
  #tasks: number | undefined;
  /** Told once: without it, the refresh is all there is. */
  readonly #onFailure: (error: unknown) => void;

  constructor(onFailure: (error: unknown) => void, open: () => Inotify = () => new Inotify()) {
    this.#onFailure = onFailure;
    try {
      this.#inotify = open();
    } catch (error) {
      onFailure(error);
    }
  }

  /** False where nothing will ever be told: what there is has to be looked at again and again. */
  get isWatching(): boolean {
    return this.#inotify !== undefined;
  }

  /**
   * "began": what came before was not told. "missing": nothing is told; containerd makes the directory with the
   * first container of a node.
   */
  watchTasks(path: string): "began" | "watched" | "missing" {
    const inotify = this.#inotify;
    if (this.#tasks !== undefined) return "watched";
    if (inotify === undefined) return "missing";
    this.#attempt(() => {
      const directory = openLayerRoot(path);
      try {
        this.#tasks = inotify.watch(directory, { andGo: true });
      } finally {
        closeSync(directory);
      }
    });
    return this.#tasks === undefined ? "missing" : "began";
  }

  /** Watches a spot from now on: the layer's root for a /tmp that is made or replaced, and /tmp itself. */
  add(spot: Spot): void {
    this.#attempt(() => {
      if (spot.isLayer) this.#watch(this.#roots, openLayerRoot(spot.path), spot);
      const directory = openSpot(spot);
      if (directory !== undefined) this.#watch(this.#directories, directory, spot);
    });
  }

  remove(spot: Spot): void {
    this.#unwatch(this.#roots, spot);
    this.#unwatch(this.#directories, spot);
  }

  /** What happened since the last turn. Never waits. */
  turn(): Sightings {
    const seen: Sightings = { names: new Map(), stale: new Set(), containersChanged: false };
    for (const event of this.#inotify?.read() ?? []) {
      if (event.kind === "overflow") {
        for (const spots of this.#directories.values())
          for (const spot of spots) seen.stale.add(spot);
        seen.containersChanged = true;
      } else if (event.kind === "gone") {
        this.#roots.delete(event.watch);
        this.#directories.delete(event.watch);
        if (event.watch === this.#tasks) this.#tasks = undefined;
      } else if (event.watch === this.#tasks) seen.containersChanged = true;
      else this.#notice(seen, event.watch, event.name);
    }
    return seen;
  }

  close(): void {
    this.#inotify?.close();
  }

  #notice(seen: Sightings, watch: number, name: Buffer): void {
    if (name.equals(TMP_NAME))
      for (const spot of this.#roots.get(watch) ?? []) {
        // What is /tmp now may be another directory than before; a spot has one, however often that happens.
        this.#unwatch(this.#directories, spot);
        this.add(spot);
        seen.stale.add(spot);
      }
    if (!isCoreName(name)) return;
    for (const spot of this.#directories.get(watch) ?? []) {
      const names = seen.names.get(spot) ?? [];
      seen.names.set(spot, names);
      if (!names.some((other) => other.equals(name))) names.push(name);
    }
  }

  #watch(table: Map<number, Set<Spot>>, directory: number, spot: Spot): void {
    try {
      const watch = this.#inotify?.watch(directory);
      if (watch === undefined) return;
      const spots = table.get(watch) ?? new Set();
      table.set(watch, spots.add(spot));
    } finally {
      closeSync(directory);
    }
  }

  #unwatch(table: Map<number, Set<Spot>>, spot: Spot): void {
    for (const [watch, spots] of table) {
      if (!spots.delete(spot) || spots.size > 0) continue;
      table.delete(watch);
      this.#inotify?.unwatch(watch);
    }
  }

  #attempt(fn: () => void): void {
    try {
      fn();
    } catch (error) {
      // The directory went meanwhile: nothing will happen there any more.
      if (errnoOf(error) !== "ENOENT") this.#onFailure(error);
    }
  }
}
