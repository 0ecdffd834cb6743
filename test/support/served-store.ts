// The pages of `serve` over a folder of a test's own, or over any reader.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { formatIndexKey } from "../../src/model/crash-index.ts";
import type { IndexedCrash } from "../../src/model/indexed-crash.ts";
import { openServer, type ServeRequest } from "../../src/reading/serve/run-serve.ts";
import { openDirectoryReader } from "../../src/store/directory/directory-reader.ts";

/** The index's place in these tests. */
export const INDEX = "index/";

/** Writes an index entry, and an empty file where the dump would be unless it is there. */
export function writeIndexed(folder: string, crash: IndexedCrash): void {
  const write = (key: string) => {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), "", { flag: "a" });
  };
  write(formatIndexKey(INDEX, crash));
  write(crash.key);
}

/** What a page answered. */
export interface Answer {
  status: number;
  text: string;
  headers: Headers;
}

/** Serves while `body` runs. */
export async function withServer(
  changes: Partial<ServeRequest> & { folder?: string },
  body: (get: (path: string, init?: RequestInit) => Promise<Answer>, url: string) => Promise<void>,
): Promise<void> {
  const { folder = "", ...rest } = changes;
  const served = await openServer({
    store: openDirectoryReader(folder),
    indexPrefix: INDEX,
    modulesPrefix: "",
    port: 0,
    namespaces: [],
    cacheFile: undefined,
    ...rest,
  });
  try {
    const get = async (path: string, init: RequestInit = {}) => {
      const answer = await fetch(new URL(path, served.url), { redirect: "manual", ...init });
      return { status: answer.status, text: await answer.text(), headers: answer.headers };
    };
    await body(get, served.url);
  } finally {
    await served.stop();
  }
}
