// HOST_DIR/harvest.json: what must be known of file capture over restarts of the agent, so that no container is
// reported twice, and none for what it did before.
import { join } from "node:path";
import * as v from "valibot";
import { readTextFile, writeFileAtomically } from "../../host/files.ts";
import { HARVEST_STATE } from "../../model/host-file.ts";

const schema = v.object({
  /** Since when cores are files: what ended before is not our matter. */
  sinceMs: v.number(),
  /** By container: the signals of the cores that it left, and whether their want was reported. */
  containers: v.record(
    v.string(),
    v.object({ signals: v.array(v.number()), isReported: v.boolean() }),
  ),
  /** Files that are zipped and were not removed, by the namespace whose they are; what each is (found-core.ts). */
  left: v.fallback(v.record(v.string(), v.array(v.string())), {}),
});

type State = v.InferOutput<typeof schema>;

/** Of each namespace, so that none makes another's be taken again. */
const LEFT_MAX = 100;
const NAMESPACES_MAX = 100;
/** signal(7). A file's name may say any number. */
const SIGNAL_MAX = 64;

export class HarvestState {
  readonly #path: string;
  readonly #state: State;
  #isChanged = false;

  private constructor(path: string, state: State) {
    this.#path = path;
    this.#state = state;
  }

  /** A state that cannot be read starts anew: at worst a container is reported again, or not at all. */
  static async open(hostDir: string, nowMs = Date.now()): Promise<HarvestState> {
    const path = join(hostDir, HARVEST_STATE);
    const state = await read(path);
    const opened = new HarvestState(path, state ?? { sinceMs: nowMs, containers: {}, left: {} });
    opened.#isChanged = state === undefined;
    return opened;
  }

  get sinceMs(): number {
    return this.#state.sinceMs;
  }

  noteCore(containerId: string, signal: number): void {
    if (signal < 1 || signal > SIGNAL_MAX) return;
    const { signals } = this.#of(containerId);
    if (signals.includes(signal)) return;
    signals.push(signal);
    this.#isChanged = true;
  }

  hasCore(containerId: string, signal: number): boolean {
    return this.#state.containers[containerId]?.signals.includes(signal) === true;
  }

  noteReport(containerId: string): void {
    this.#of(containerId).isReported = true;
    this.#isChanged = true;
  }

  isReported(containerId: string): boolean {
    return this.#state.containers[containerId]?.isReported === true;
  }

  noteLeft(namespace: string, key: string): void {
    const { [namespace]: keys = [], ...others } = this.#state.left;
    const all = Object.entries(others).slice(1 - NAMESPACES_MAX);
    this.#state.left = Object.fromEntries([...all, [namespace, [...keys, key].slice(-LEFT_MAX)]]);
    this.#isChanged = true;
  }

  isLeft(key: string): boolean {
    return Object.values(this.#state.left).some((keys) => keys.includes(key));
  }

  /**
   * Forgets containers that are none of these, where they are known, and writes what changed. Throws AppError "host".
   */
  async save(ids: readonly string[] | undefined): Promise<void> {
    if (ids !== undefined) this.#forgetAllBut(new Set(ids));
    if (!this.#isChanged) return;
    this.#isChanged = false;
    await writeFileAtomically(this.#path, JSON.stringify(this.#state));
  }

  #forgetAllBut(ids: ReadonlySet<string>): void {
    for (const id of Object.keys(this.#state.containers)) {
      if (ids.has(id)) continue;
      delete this.#state.containers[id];
      this.#isChanged = true;
    }
  }

  #of(containerId: string) {
    this.#state.containers[containerId] ??= { signals: [], isReported: false };
    return this.#state.containers[containerId];
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
