// What `serve` knows of a store's crashes: a cache in SQLite, which can be deleted at any time. The store alone is the
// truth.
import { Database } from "bun:sqlite";
import { dayOf, UNKNOWN_BUG } from "../../model/crash-index.ts";
import type { IndexedCrash } from "../../model/indexed-crash.ts";

/** One crash as a row. */
export interface CrashRow {
  key: string;
  time: number;
  bug: string;
  title: string | null;
  exe: string | null;
  signal: string | null;
  namespace: string | null;
  image: string | null;
  pod: string | null;
  container: string | null;
  node: string | null;
  /** 1, 0, or null where it cannot be told. */
  complete: number | null;
  core: number | null;
  zip: number;
}

/** A change of the table's columns makes another version, and the old file is emptied. */
const SCHEMA_VERSION = 1;
const SCHEMA = `
CREATE TABLE crashes(
  key TEXT PRIMARY KEY, time INTEGER NOT NULL, day TEXT NOT NULL, bug TEXT NOT NULL, title TEXT, exe TEXT,
  signal TEXT, namespace TEXT, image TEXT, pod TEXT, container TEXT, node TEXT, complete INTEGER, core INTEGER,
  zip INTEGER NOT NULL, round INTEGER NOT NULL
);
CREATE INDEX by_bug ON crashes(bug, time);
CREATE INDEX by_bug_day ON crashes(bug, day);
CREATE INDEX by_bug_image ON crashes(bug, image, time);
CREATE INDEX by_bug_namespace ON crashes(bug, namespace, time);
CREATE TABLE facts(name TEXT PRIMARY KEY, value TEXT NOT NULL);
`;

const INSERT = `INSERT INTO crashes VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
  ON CONFLICT(key) DO UPDATE SET round = excluded.round`;

/** The cache of one store. */
export class CrashCache {
  readonly database: Database;
  /** Changes with the crashes, so that an answer to a question can be kept until then. */
  version = 0;
  private readonly insert;
  private readonly touch;

  /** Opens the file, or makes it; one of another store or version is emptied. "" keeps it in memory. */
  constructor(path: string, store: string) {
    this.database = new Database(path, { create: true, strict: true });
    this.database.run("PRAGMA journal_mode = MEMORY");
    this.database.run("PRAGMA synchronous = OFF");
    this.database.run("PRAGMA cache_size = -16384");
    this.prepare(store);
    this.insert = this.database.prepare(INSERT);
    this.touch = this.database.prepare<{ key: string }, [number, string]>(
      "UPDATE crashes SET round = ? WHERE key = ? RETURNING key",
    );
  }

  private prepare(store: string): void {
    const { database } = this;
    const known = database.query<{ user_version: number }, []>("PRAGMA user_version").get();
    if (known?.user_version === SCHEMA_VERSION && this.fact("store") === store) return;
    const tables = database.query<{ name: string }, []>(
      "SELECT name FROM sqlite_master WHERE type = 'table'",
    );
    for (const { name } of tables.all()) database.run(`DROP TABLE "${name.replaceAll('"', '""')}"`);
    database.run(SCHEMA);
    database.run(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    this.setFact("store", store);
  }

  fact(name: string): string | undefined {
    const query = this.database.query<{ value: string }, [string]>(
      "SELECT value FROM facts WHERE name = ?",
    );
    return query.get(name)?.value;
  }

  setFact(name: string, value: string): void {
    this.database.query("INSERT OR REPLACE INTO facts VALUES(?, ?)").run(name, value);
  }

  /** Adds crashes, or marks those that are there as seen in this round. */
  add(crashes: readonly IndexedCrash[], round: number): void {
    if (crashes.length > 0) this.version++;
    this.database.transaction(() => {
      for (const crash of crashes)
        this.insert.run(
          crash.key,
          crash.timeSeconds,
          dayOf(crash.timeSeconds),
          crash.bug ?? UNKNOWN_BUG,
          crash.title,
          crash.exe,
          crash.signal,
          crash.namespace,
          crash.image,
          crash.pod,
          crash.container,
          crash.node,
          crash.coreComplete === null ? null : Number(crash.coreComplete),
          crash.coreBytes,
          crash.zipBytes,
          round,
        );
    })();
  }

  /** Marks dumps as seen in this round. Returns the keys that are not here yet. */
  seen(keys: readonly string[], round: number): string[] {
    const unknown: string[] = [];
    this.database.transaction(() => {
      for (const key of keys) if (this.touch.get(round, key) === null) unknown.push(key);
    })();
    return unknown;
  }

  /** Forgets what was not seen in this round. */
  forgetOlder(round: number): void {
    this.database.query("DELETE FROM crashes WHERE round < ?").run(round);
    this.version++;
  }

  count(): number {
    const query = this.database.query<{ n: number }, []>("SELECT count(*) AS n FROM crashes");
    return query.get()?.n ?? 0;
  }

  close(): void {
    this.insert.finalize();
    this.touch.finalize();
    this.database.close();
  }
}
