import { afterEach, beforeEach, expect, test } from "bun:test";
import { startHttp, type HttpServer } from "../../../src/agent/http.ts";
import { freePort } from "../../support/free-port.ts";
import { recordedLog } from "../../support/recorded-log.ts";

let notReady: string | undefined;
let isStarting: boolean;
let server: HttpServer;
const log = recordedLog();
beforeEach(async () => {
  notReady = undefined;
  isStarting = false;
  const port = await freePort();
  const health = {
    isStarting: () => isStarting,
    notReady: () => notReady,
    metrics: () => "x 1\n",
  };
  server = startHttp(port, health, log);
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
  const second = startHttp(
    server.port,
    { isStarting: () => false, notReady: () => undefined, metrics: () => "" },
    log,
  );
  expect(second.port).toBe(0);
  expect(log.names()).toContain("http_unavailable");
  await second.stop();
});
