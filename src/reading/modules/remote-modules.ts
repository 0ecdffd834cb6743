// Where modules are that this machine has not: in the store, and on the debuginfod servers of DEBUGINFOD_URLS. A place
// that fails is not asked again, which is said once.
import { describeError } from "../../model/app-error.ts";
import { moduleKey, rivalKey, type Artifact } from "../../model/module-id.ts";
import { failureOf } from "../../store/store-error.ts";
import type { StoreReader } from "../../store/store-port.ts";

/** The largest file that is fetched: the debug information of the largest programs has some gigabytes. */
const MAX_BYTES = 16 * 2 ** 30;
const RANGE_BYTES = 8 << 20;
const ANSWER_MS = 90_000;

/** A file of a remote place; it is read only when asked for. */
export interface RemoteFile {
  /** Undefined where the place does not tell. */
  sizeBytes: number | undefined;
  bytes: AsyncIterable<Uint8Array>;
}

/** A place that may have a file. */
export interface RemotePlace {
  /** As sentences name it: "the store". */
  readonly name: string;
  /** Yields the files that may be the one, the likeliest first. Throws where the place cannot be asked. */
  find(id: string, artifact: Artifact, sha256: string | null): AsyncIterable<RemoteFile>;
}

/** The modules in the store. */
export function storePlace(store: StoreReader, prefix: string): RemotePlace {
  return {
    name: "the store",
    async *find(id, artifact, sha256) {
      const keys = [moduleKey(prefix, id, artifact)];
      if (artifact === "executable" && sha256 !== null) keys.push(rivalKey(prefix, { id, sha256 }));
      for (const key of keys) {
        const found = await readObject(store, key);
        if (found !== undefined) yield found;
      }
    },
  };
}

/** Opens an object; undefined where there is none. Throws where the store cannot be asked. */
export async function readObject(store: StoreReader, key: string): Promise<RemoteFile | undefined> {
  const source = await store.open(key).catch((error: unknown) => {
    // The reader of a directory has no StoreError for what is not there.
    const failure = failureOf(error);
    if (failure === "not_found" || failure === undefined) return undefined;
    throw error;
  });
  if (source === undefined) return undefined;
  const { sizeBytes } = source;
  async function* bytes(open: NonNullable<typeof source>): AsyncGenerator<Uint8Array> {
    try {
      if (sizeBytes > MAX_BYTES) throw new Error(`${key} has ${sizeBytes} bytes`);
      for (let at = 0; at < sizeBytes; at += RANGE_BYTES) {
        const piece = await open.read(at, Math.min(at + RANGE_BYTES, sizeBytes));
        if (piece.length === 0) throw new Error(`${key} ends early`);
        yield piece;
      }
    } finally {
      await open.close();
    }
  }
  return { sizeBytes, bytes: bytes(source) };
}

/** The servers that DEBUGINFOD_URLS names, separated by blanks. */
export function debuginfodPlaces(urls: string): RemotePlace[] {
  return urls
    .split(/\s+/)
    .filter((url) => URL.canParse(url) && /^https?:/.test(url))
    .map((url) => ({
      name: new URL(url).origin,
      async *find(id, artifact) {
        const at = `${url.replace(/\/+$/, "")}/buildid/${id}/${artifact}`;
        const answer = await fetch(at, { signal: AbortSignal.timeout(ANSWER_MS) });
        if (answer.ok && answer.body !== null)
          yield { sizeBytes: undefined, bytes: bounded(answer.body) };
        else if (answer.status !== 404) throw new Error(`it answers ${answer.status}`);
      },
    }));
}

async function* bounded(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_BYTES) throw new Error("it sends too much");
    yield chunk;
  }
}

/** Asks the place until it fails; `onFailure` hears of that once. */
export function untilItFails(place: RemotePlace, onFailure: (line: string) => void): RemotePlace {
  let hasFailed = false;
  return {
    name: place.name,
    async *find(id, artifact, sha256) {
      if (hasFailed) return;
      try {
        yield* place.find(id, artifact, sha256);
      } catch (error) {
        hasFailed = true;
        onFailure(`${place.name} cannot be asked for modules: ${describeError(error)}`);
      }
    },
  };
}
