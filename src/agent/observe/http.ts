// Serves /healthz, /startz, /readyz and /metrics to the kubelet and Prometheus. Only reads, and shows nothing of a
// dump's contents.
import { describeError } from "../../model/app-error.ts";
import type { Log } from "../../host/log.ts";
import {
  openHttpConnections,
  type HttpAnswer,
  type HttpConnections,
  type HttpPlace,
  type HttpRequest,
} from "./http-connections.ts";

/** What the server shows. */
export interface Health {
  /** True until it is known whether the pod is ready. */
  isStarting: () => boolean;
  /**
   * Returns undefined where the install is done and core_pattern is right; else the reason, which anybody who reaches
   * the port can read.
   */
  notReady: () => string | undefined;
  /** Returns the metrics in Prometheus' text format. */
  metrics: () => string;
}

const TEXT = "text/plain; charset=utf-8";
const EXPOSITION = "text/plain; version=0.0.4; charset=utf-8";

/**
 * How long an answer waits for a start that is under way, in ms, because the kubelet makes a Warning event of every
 * refusal.
 */
const START_HOLD_MS = 8_000;
const START_LOOK_MS = 50;

/**
 * Starts the server. Logs a port that is taken, and the agent works without the server then (its port is 0), because
 * crashes matter more than metrics.
 */
export async function startHttp(
  place: HttpPlace,
  health: Health,
  log: Log,
): Promise<HttpConnections> {
  try {
    const connections = await openHttpConnections(place, (request) => answer(request, health));
    log.info("http_listening", { address: place.address, port: connections.port });
    return connections;
  } catch (error) {
    log.error("http_unavailable", { ...place, error: describeError(error) });
    return { port: 0, stop: async () => {} };
  }
}

function answer({ method, path }: HttpRequest, health: Health): HttpAnswer | Promise<HttpAnswer> {
  if (method !== "GET" && method !== "HEAD") return plain(405, "GET only\n");
  switch (path) {
    case "/healthz":
      // Any answer proves that the event loop works.
      return plain(200, "ok\n");
    case "/startz":
      return answerStart(health);
    case "/readyz": {
      const reason = health.notReady();
      return reason === undefined ? plain(200, "ready\n") : plain(503, `${reason}\n`);
    }
    case "/metrics":
      return { status: 200, type: EXPOSITION, body: health.metrics() };
    default:
      return plain(404, "/healthz, /startz, /readyz and /metrics are here\n");
  }
}

async function answerStart({ isStarting }: Health): Promise<HttpAnswer> {
  for (const sinceMs = performance.now(); performance.now() - sinceMs < START_HOLD_MS;) {
    if (!isStarting()) return plain(200, "started\n");
    await Bun.sleep(START_LOOK_MS);
  }
  return plain(503, "starting\n");
}

function plain(status: number, body: string): HttpAnswer {
  return { status, type: TEXT, body };
}
