// debuginfod's protocol over a store: GET /buildid/<hex>/executable and …/debuginfo. One function, for a server of any
// kind; who may ask is the server's business.
import { ARTIFACTS, isModuleId, moduleKey } from "../model/module-id.ts";
import { failureOf } from "./store-error.ts";
import type { StoreReader, StoredSource } from "./store-port.ts";

const RANGE_BYTES = 4 << 20;
const PATH = /^\/buildid\/([0-9a-f]+)\/([a-z]+)$/;

/**
 * Answers a request for a module; undefined for a path that is no module's. Of two files with one build-id the client
 * gets the first one. Throws StoreError where the store fails.
 */
export async function answerModule(
  { method, pathname }: { method: string; pathname: string },
  store: StoreReader,
  prefix: string,
): Promise<Response | undefined> {
  const [, id = "", name = ""] = PATH.exec(pathname) ?? [];
  const artifact = ARTIFACTS.find((known) => known === name);
  if (!isModuleId(id) || artifact === undefined) return undefined;
  if (method !== "GET" && method !== "HEAD") return new Response(null, { status: 405 });
  const source = await openOrNothing(store, moduleKey(prefix, id, artifact));
  if (source === undefined) return new Response("no such module\n", { status: 404 });
  const size = String(source.sizeBytes);
  const headers = {
    "content-type": "application/octet-stream",
    "content-length": size,
    // debuginfod's clients show their progress by it.
    "x-debuginfod-size": size,
  };
  if (method === "HEAD") {
    await source.close();
    return new Response(null, { headers });
  }
  return new Response(streamOf(source), { headers });
}

async function openOrNothing(store: StoreReader, key: string): Promise<StoredSource | undefined> {
  try {
    return await store.open(key);
  } catch (error) {
    const failure = failureOf(error);
    // The reader of a directory has no StoreError for what is not there.
    if (failure === "not_found" || failure === undefined) return undefined;
    throw error;
  }
}

/** A client that reads slowly costs one range of memory. */
function streamOf(source: StoredSource): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (at >= source.sizeBytes) {
        controller.close();
        await source.close();
        return;
      }
      const piece = await source.read(at, Math.min(at + RANGE_BYTES, source.sizeBytes));
      if (piece.length === 0) throw new Error(`${source.name} ends early`);
      at += piece.length;
      controller.enqueue(piece);
    },
    cancel: () => source.close(),
  });
}
