import { afterEach, beforeEach, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { startHttp } from "../../../../src/agent/observe/http.ts";
import type { HttpConnections } from "../../../../src/agent/observe/http-connections.ts";
import { recordedLog } from "../../../support/recorded-log.ts";

let notReady: string | undefined;
let isStarting = false;
let server: HttpConnections;
let metrics = "x 1\n";
const log = recordedLog();
beforeEach(async () => {
  notReady = undefined;
  isStarting = false;
  metrics = "x 1\n";
  const health = {
    isStarting: () => isStarting,
    notReady: () => notReady,
    metrics: () => metrics,
  };
  server = await startHttp({ address: "", port: 0 }, health, log);
});
afterEach(() => server.stop());

const get = async (path: string, init: RequestInit = {}) => {
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
  return {
    status: answer.status,
    type: answer.headers.get("content-type"),
    body: await answer.text(),
  };
};

test("alive, ready and measured", async () => {
  expect(await get("/healthz")).toMatchObject({ status: 200, body: "ok\n" });
  expect(await get("/readyz")).toMatchObject({ status: 200 });
  expect(await get("/metrics")).toEqual({
    status: 200,
    type: "text/plain; version=0.0.4; charset=utf-8",
    body: "x 1\n",
  });
});

test("whoever asks whether it has started is answered once that is known, ready or not", async () => {
  isStarting = true;
  notReady = "the doctor found something";
  const asked = get("/startz");
  await get("/healthz");
  isStarting = false;
  expect(await asked).toMatchObject({ status: 200, body: "started\n" });
});

test("not ready says why", async () => {
  notReady = "core_pattern does not start our composer";
  expect(await get("/readyz")).toMatchObject({ status: 503, body: `${notReady}\n` });
});

test("nothing else is offered, and nothing is taken", async () => {
  expect((await get("/../../etc/passwd")).status).toBe(404);
  expect((await get("/metrics", { method: "POST", body: "x" })).status).toBe(405);
});

test("a port that is taken is said, and the agent goes on", async () => {
  const health = { isStarting: () => false, notReady: () => undefined, metrics: () => "" };
  const second = await startHttp({ address: "", port: server.port }, health, log);
  expect(second.port).toBe(0);
  expect(log.names()).toContain("http_unavailable");
  await second.stop();
});

test("on one address it is not to be had on another", async () => {
  const health = { isStarting: () => false, notReady: () => undefined, metrics: () => "" };
  const there = await startHttp({ address: "127.0.0.2", port: 0 }, health, log);
  expect((await fetch(`http://127.0.0.2:${there.port}/healthz`)).status).toBe(200);
  expect(fetch(`http://127.0.0.77:${there.port}/healthz`)).rejects.toThrow();
  await there.stop();
});

test("a large answer comes whole", async () => {
  metrics = `${"x".repeat(5_000_000)}\n`;
  expect((await get("/metrics")).body).toBe(metrics);
});

test("HEAD has no body", async () => {
  const said = await say("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(said).toStartWith("HTTP/1.1 200 OK\r\n");
  expect(said).toEndWith("\r\nConnection: close\r\n\r\n");
});

/** Sends this from an address; everything that comes until the end. */
async function say(text: string, localAddress = "127.0.0.1"): Promise<string> {
  const socket = connect({ port: server.port, host: "127.0.0.1", localAddress });
  let said = "";
  socket.on("data", (bytes: Buffer) => (said += bytes.toString()));
  socket.on("error", () => undefined);
  socket.write(text);
  await closed(socket);
  return said;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on("close", () => resolve()));
}

test.each([
  ["no request at all", "400", "hello\r\n\r\n"],
  ["binary", "400", "\x16\x03\x01\x02\r\n\r\n"],
  ["a head without end", "431", `GET / HTTP/1.1\r\nX: ${"a".repeat(100_000)}`],
  ["another method", "405", "POST /metrics HTTP/1.1\r\n\r\n"],
  ["a query", "200", "GET /healthz?x=1 HTTP/1.1\r\n\r\n"],
])("%s is answered by %s", async (_, status, text) => {
  expect(await say(text)).toStartWith(`HTTP/1.1 ${status} `);
});

test("whoever crowds the port loses its own oldest connections, and nobody else's", async () => {
  const open = (localAddress: string) => {
    const socket = connect({ port: server.port, host: "127.0.0.1", localAddress });
    socket.on("error", () => undefined);
    socket.write("GET /metrics HTTP/1.1\r\nX-Unfinished: ");
    return socket;
  };
  const slow = open("127.0.0.3");
  await new Promise<void>((resolve) => slow.on("connect", () => resolve()));
  const crowd = Array.from({ length: 500 }, () => open("127.0.0.2"));
  const lost = crowd.slice(0, 400).map(closed);
  await Promise.all(lost);
  expect((await get("/healthz")).status).toBe(200);
  let said = "";
  slow.on("data", (bytes: Buffer) => (said += bytes.toString()));
  slow.write("x\r\n\r\n");
  await closed(slow);
  expect(said).toStartWith("HTTP/1.1 200 OK");
  for (const socket of crowd) socket.destroy();
});
