// Keeps the cache like the store: first the index, then the list of dumps, of which those that the index does not have
// are read. Later rounds look at the index's last days only, and now and then at all.
import { describeError } from "../../model/app-error.ts";
import { dayOf, INDEX_VERSION, parseIndexKey } from "../../model/crash-index.ts";
import { indexedCrash, type IndexedCrash } from "../../model/indexed-crash.ts";
import type { StoredDump, StoreReader } from "../../store/store-port.ts";
import { readDumpFacts } from "../dump-state.ts";
import type { CrashCache } from "./crash-cache.ts";

/** How many heads are read at once. */
const READERS = 8;
const PAGE_KEYS = 1000;
/** How old what is shown may be before a look begins another round, in ms. */
const FRESH_MS = 30_000;
/** After how long a round lists all dumps again, in ms. */
const WHOLE_EVERY_MS = 30 * 60_000;
/** A delivery may come a day after its crash; older ones come with the next whole round. */
const RECENT_DAYS = 2;

/** The round of what the list of dumps has not confirmed. */
const NO_ROUND = 0;

/** After so many pages what they left in memory is freed: the engine alone would wait for more. */
const PAGES_BETWEEN_CLEANING = 10;

/** How far the cache is. */
export interface SyncState {
  /** True until the first round has ended. */
  isFirst: boolean;
  isRunning: boolean;
  /** When the last round ended well, in ms since the epoch. */
  endedMs: number | undefined;
  /** Why the last round failed. */
  failure: string | undefined;
  /** How many crashes of the last whole round were only in the dumps themselves. */
  notIndexed: number;
}

/** The cache's rounds. */
export class StoreSync {
  readonly state: SyncState = {
    isFirst: true,
    isRunning: false,
    endedMs: undefined,
    failure: undefined,
    notIndexed: 0,
  };
  private readonly store: StoreReader;
  private readonly cache: CrashCache;
  private readonly prefix: string;
  private running: Promise<void> | undefined;
  private wholeMs: number | undefined;
  private isIndexed = false;

  /** prefix: where the store's index stands. */
  constructor(store: StoreReader, cache: CrashCache, prefix: string) {
    this.store = store;
    this.cache = cache;
    this.prefix = prefix;
    // What an earlier process left is shown while this one reads.
    this.state.isFirst = cache.count() === 0;
  }

  /** Begins a round where the last one is old, and waits for it for at most waitMs. Never throws. */
  async refresh(waitMs: number): Promise<void> {
    const { endedMs, failure } = this.state;
    const isFresh = endedMs !== undefined && Date.now() - endedMs < FRESH_MS;
    if (!isFresh || failure !== undefined) this.running ??= this.run();
    const { running } = this;
    if (running === undefined) return;
    await Promise.race([running, Bun.sleep(waitMs)]);
  }

  /** Settles when no round is under way. */
  async idle(): Promise<void> {
    await this.running;
  }

  private async run(): Promise<void> {
    this.state.isRunning = true;
    try {
      await this.round();
      this.state.failure = undefined;
      this.state.isFirst = false;
      this.state.endedMs = Date.now();
    } catch (error) {
      this.state.failure = describeError(error);
    } finally {
      this.state.isRunning = false;
      this.running = undefined;
    }
  }

  private async round(): Promise<void> {
    const round = Date.now();
    const isWhole =
      this.wholeMs === undefined || round - this.wholeMs > WHOLE_EVERY_MS || !this.isIndexed;
    const fromDay = isWhole ? "" : dayOf(round / 1000 - RECENT_DAYS * 86_400);
    const indexed = this.readIndex(fromDay);
    if (!isWhole) {
      await indexed;
      return;
    }
    this.isIndexed = (await indexed) > 0;
    this.state.notIndexed = await this.readDumps(round);
    this.cache.forgetOlder(round);
    this.wholeMs = round;
  }

  /** Returns how many entries there are. */
  private async readIndex(fromDay: string): Promise<number> {
    const folder = this.prefix + INDEX_VERSION;
    let [count, pages] = [0, 0];
    for await (const page of this.store.names(
      folder,
      fromDay === "" ? undefined : folder + fromDay,
    )) {
      const crashes = page.flatMap((name) => {
        const crash = parseIndexKey(this.prefix, name);
        return crash === undefined || crash.key === "" ? [] : [crash];
      });
      // Shown at once; in a whole round the list of dumps then says which of them are still there.
      this.cache.add(crashes, NO_ROUND);
      count += crashes.length;
      if (++pages % PAGES_BETWEEN_CLEANING === 0) Bun.gc(true);
    }
    return count;
  }

  /** Returns how many dumps the index does not have. */
  private async readDumps(round: number): Promise<number> {
    let [notIndexed, pages] = [0, 0];
    let page = new Map<string, StoredDump>();
    const take = async () => {
      const unknown = this.cache.seen([...page.keys()], round);
      notIndexed += unknown.length;
      this.cache.add(await this.readHeads(unknown.flatMap((key) => page.get(key) ?? [])), round);
      page = new Map();
      if (++pages % PAGES_BETWEEN_CLEANING === 0) Bun.gc(true);
    };
    for await (const dump of this.store.list("", this.prefix)) {
      page.set(dump.key, dump);
      if (page.size >= PAGE_KEYS) await take();
    }
    await take();
    return notIndexed;
  }

  private async readHeads(dumps: StoredDump[]): Promise<IndexedCrash[]> {
    const crashes: IndexedCrash[] = [];
    const reader = async () => {
      for (let dump = dumps.pop(); dump !== undefined; dump = dumps.pop()) {
        const { info } = await readDumpFacts(this.store, dump);
        const { key, sizeBytes, modifiedMs } = dump;
        if (Object.keys(info).length === 0) continue;
        crashes.push(
          indexedCrash(info, { key, zipBytes: sizeBytes, nowSeconds: modifiedMs / 1000 }),
        );
      }
    };
    await Promise.all(Array.from({ length: READERS }, reader));
    return crashes;
  }
}
