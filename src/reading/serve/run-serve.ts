// `serve`: the pages over a store or a folder, on this machine's loopback address only.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../model/app-error.ts";
import { untilAborted } from "../../host/timer.ts";
import type { StoreReader } from "../../store/store-port.ts";
import { CrashCache } from "./crash-cache.ts";
import { openSite, SITE_LIMITS, type SiteLimits } from "./routes.ts";
import { StoreSync } from "./store-sync.ts";

/** What to serve, and where. */
export interface ServeRequest {
  store: StoreReader;
  /** Where the store's index stands. */
  indexPrefix: string;
  /** Where its modules stand. */
  modulesPrefix: string;
  /** 0 takes a free one. */
  port: number;
  /** The namespaces that may be shown; empty is all. */
  namespaces: readonly string[];
  /** The cache's file; undefined is one that ends with this process. */
  cacheFile: string | undefined;
  limits?: SiteLimits;
}

/** A connection that is silent for so long is closed, in seconds: a client that sends or reads nothing. */
const IDLE_SECONDS = 20;
/** The longest address that is read, in bytes. */
const ADDRESS_MAX_BYTES = 8 * 1024;

/** The pages while they are served. */
export interface Served {
  url: string;
  /** Settles when what is read of the store now has been read. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/** Opens the port. Throws AppError where that, or the cache, cannot be opened. */
export async function openServer(request: ServeRequest): Promise<Served> {
  const { store, port, namespaces, indexPrefix, modulesPrefix, limits = SITE_LIMITS } = request;
  const folder =
    request.cacheFile === undefined
      ? await mkdtemp(join(tmpdir(), "core-dump-handler-serve-"))
      : undefined;
  const clean = async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    const cache = openCache(request.cacheFile ?? join(folder ?? "", "cache.sqlite"), store.name);
    const sync = new StoreSync(store, cache, indexPrefix);
    const site = openSite({ store, cache, sync, allowed: namespaces, modulesPrefix, limits });
    const server = listen(port, site);
    return {
      url: `http://127.0.0.1:${server.port}/`,
      idle: () => sync.idle(),
      async stop() {
        await server.stop(true);
        await sync.idle();
        cache.close();
        await clean();
      },
    };
  } catch (error) {
    await clean();
    throw error;
  }
}

function openCache(path: string, store: string): CrashCache {
  try {
    return new CrashCache(path, store);
  } catch (cause) {
    throw new AppError("usage", `the cache ${path} cannot be opened`, {
      cause,
      hint: "--cache names a file that may be made, or deleted, at any time",
    });
  }
}

function listen(port: number, site: (request: Request) => Promise<Response>) {
  try {
    return Bun.serve({
      hostname: "127.0.0.1",
      port,
      idleTimeout: IDLE_SECONDS,
      maxRequestBodySize: 1024,
      fetch: (request) =>
        request.url.length > ADDRESS_MAX_BYTES
          ? new Response("the address is too long\n", { status: 414 })
          : site(request),
    });
  } catch (cause) {
    throw new AppError("usage", `port ${port} of 127.0.0.1 cannot be opened`, {
      cause,
      hint: "--port chooses another, 0 any that is free",
    });
  }
}

/** Serves until the signal. */
export async function serveUntilStopped(
  request: ServeRequest,
  signal: AbortSignal,
  onListening: (url: string) => void,
): Promise<void> {
  const served = await openServer(request);
  onListening(served.url);
  await untilAborted(signal);
  await served.stop();
}
