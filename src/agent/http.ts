// /healthz, /startz, /readyz and /metrics for the kubelet and Prometheus. Read-only, nothing of a dump's contents.
import { describeError } from "../model/app-error.ts";
import type { Log } from "../host/log.ts";

export interface Health {
  /** True until it is known whether we are ready. */
  isStarting: () => boolean;
  /** Installed, and core_pattern is ours; else the reason. */
  notReady: () => string | undefined;
  /** Prometheus' text format. */
  metrics: () => string;
}

export interface HttpServer {
  /** 0 where the port could not be had. */
  port: number;
  stop: () => Promise<void>;
}

const TEXT = "text/plain; charset=utf-8";
const EXPOSITION = "text/plain; version=0.0.4; charset=utf-8";

/** A start that takes a moment is waited for: every refusal is a Warning event of the kubelet's. */
const START_HOLD_MS = 8_000;
const START_LOOK_MS = 50;

/** A port that is taken is said, and the agent works without: crashes matter more than being seen. */
export function startHttp(port: number, health: Health, log: Log): HttpServer {
  try {
    const server = Bun.serve({
      port,
      // No request has a body worth reading, and no answer takes longer than START_HOLD_MS.
      maxRequestBodySize: 1024,
      idleTimeout: 10,
      fetch: (request) => answer(request, health),
      error: () => plain(500, "internal error\n"),
    });
    log.info("http_listening", { port: server.port ?? port });
    return { port: server.port ?? port, stop: () => server.stop(true) };
  } catch (error) {
    log.error("http_unavailable", { port, error: describeError(error) });
    return { port: 0, stop: async () => {} };
  }
}

function answer(request: Request, health: Health): Response | Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") return plain(405, "GET only\n");
  switch (new URL(request.url).pathname) {
    case "/healthz":
      // That an answer comes at all is the proof: the event loop turns.
      return plain(200, "ok\n");
    case "/startz":
      return answerStart(health);
    case "/readyz": {
      const reason = health.notReady();
      return reason === undefined ? plain(200, "ready\n") : plain(503, `${reason}\n`);
    }
    case "/metrics":
      return new Response(health.metrics(), { headers: { "content-type": EXPOSITION } });
    default:
      return plain(404, "/healthz, /startz, /readyz and /metrics are here\n");
  }
}

async function answerStart({ isStarting }: Health): Promise<Response> {
  for (const sinceMs = performance.now(); performance.now() - sinceMs < START_HOLD_MS;) {
    if (!isStarting()) return plain(200, "started\n");
    await Bun.sleep(START_LOOK_MS);
  }
  return plain(503, "starting\n");
}

function plain(status: number, body: string): Response {
  return new Response(body, { status, headers: { "content-type": TEXT } });
}
