// HOST_DIR/harvest.json: what file capture must know after a restart of the agent, so that it reports no container
// twice, and none that ended before file capture began.
import { join } from "node:path";
import * as v from "valibot";
import { readTextFile, writeFileAtomically } from "../../host/files.ts";
import { HARVEST_STATE } from "../../model/host-file.ts";

const schema = v.object({
  /** When file capture began, in ms since the epoch; earlier ends are ignored. */
  sinceMs: v.number(),
  /** By container: the signals of the cores that it left, and whether a missing core was reported. */
  containers: v.record(
    v.string(),
    v.object({ signals: v.array(v.number()), isReported: v.boolean() }),
  ),
  /** The keys (found-core.ts) of files that are zipped and not removed, by namespace. */
  left: v.fallback(v.record(v.string(), v.array(v.string())), {}),
});

type State = v.InferOutput<typeof schema>;

/**
 * How many such keys are kept for each namespace, so that one namespace cannot make another's cores be zipped again.
 */
const LEFT_MAX = 100;
const NAMESPACES_MAX = 100;
/** The highest signal (signal(7)); a file's name may have any number. */
const SIGNAL_MAX = 64;

/** The state of file capture. */
export class HarvestState {
  private readonly path: string;
  private readonly state: State;
  private isChanged = false;

  private constructor(path: string, state: State) {
    this.path = path;
    this.state = state;
  }

  /**
   * Reads the state. One that cannot be read is replaced by an empty one; at worst a container is then reported again,
   * or not at all.
   */
  static async open(hostDir: string, nowMs = Date.now()): Promise<HarvestState> {
    const path = join(hostDir, HARVEST_STATE);
    const state = await read(path);
    const opened = new HarvestState(path, state ?? { sinceMs: nowMs, containers: {}, left: {} });
    opened.isChanged = state === undefined;
    return opened;
  }

  get sinceMs(): number {
    return this.state.sinceMs;
  }

  noteCore(containerId: string, signal: number): void {
    if (signal < 1 || signal > SIGNAL_MAX) return;
    const { signals } = this.of(containerId);
    if (signals.includes(signal)) return;
    signals.push(signal);
    this.isChanged = true;
  }

  hasCore(containerId: string, signal: number): boolean {
    return this.state.containers[containerId]?.signals.includes(signal) === true;
  }

  noteReport(containerId: string): void {
    this.of(containerId).isReported = true;
    this.isChanged = true;
  }

  isReported(containerId: string): boolean {
    return this.state.containers[containerId]?.isReported === true;
  }

  noteLeft(namespace: string, key: string): void {
    const { [namespace]: keys = [], ...others } = this.state.left;
    const all = Object.entries(others).slice(1 - NAMESPACES_MAX);
    this.state.left = Object.fromEntries([...all, [namespace, [...keys, key].slice(-LEFT_MAX)]]);
    this.isChanged = true;
  }

  isLeft(key: string): boolean {
    return Object.values(this.state.left).some((keys) => keys.includes(key));
  }

  /**
   * Forgets containers other than `ids`, where these are known, and writes the state if it changed. Throws AppError
   * "host".
   */
  async save(ids: readonly string[] | undefined): Promise<void> {
    if (ids !== undefined) this.forgetAllBut(new Set(ids));
    if (!this.isChanged) return;
    this.isChanged = false;
    await writeFileAtomically(this.path, JSON.stringify(this.state));
  }

  private forgetAllBut(ids: ReadonlySet<string>): void {
    for (const id of Object.keys(this.state.containers)) {
      if (ids.has(id)) continue;
      delete this.state.containers[id];
      this.isChanged = true;
    }
  }

  private of(containerId: string) {
    this.state.containers[containerId] ??= { signals: [], isReported: false };
    return this.state.containers[containerId];
  }
}

async function read(path: string): Promise<State | undefined> {
  try {
    const text = await readTextFile(path);
    return text === undefined ? undefined : v.parse(schema, JSON.parse(text));
  } catch {
    return undefined;
  }
}
