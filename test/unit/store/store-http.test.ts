// One exchange with a server that misbehaves.
import { afterEach, expect, test } from "bun:test";
import { failureOf } from "../../../src/store/store-error.ts";
import { openExchange, type HttpRequest } from "../../../src/store/store-http.ts";
import { storeSettings } from "../../support/store-settings.ts";

const never = new AbortController().signal;
const servers: { stop: (now: boolean) => Promise<void> }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
});

function serve(answer: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", idleTimeout: 0, fetch: answer });
  servers.push(server);
  return `http://127.0.0.1:${server.port}/`;
}

function ask(url: string, changes: Partial<HttpRequest> = {}, signal = never) {
  const settings = storeSettings({ STORE_TIMEOUT: "1" });
  const exchange = openExchange(settings, { address: url, hint: "check the test" });
  return exchange({ method: "GET", url, headers: {}, ...changes }, signal);
}

async function failure(answered: Promise<unknown>): Promise<string | undefined> {
  return failureOf(await answered.catch((error: unknown) => error));
}

test("a redirect is an answer, and nobody follows it", async () => {
  let followed = false;
  const elsewhere = serve(() => {
    followed = true;
    return new Response("token, please");
  });
  const url = serve(() => new Response(null, { status: 307, headers: { location: elsewhere } }));
  expect((await ask(url, { headers: { authorization: "Bearer hush" } })).status).toBe(307);
  expect(followed).toBe(false);
});

test("more than was asked for is refused, but words that explain a refusal are read", async () => {
  const url = serve(() => new Response("0123456789"));
  expect(await failure(ask(url, { answerMaxBytes: 9 }))).toBe("unsupported");
  expect((await ask(url, { answerMaxBytes: 10 })).body.toString()).toBe("0123456789");
  const refusing = serve(() => new Response("0123456789", { status: 404 }));
  expect(await ask(refusing, { answerMaxBytes: 3 })).toMatchObject({ status: 404 });
});

test("silence is a timeout, nobody is unreachable, and a stop is one", async () => {
  const silent = serve(() => new Promise<Response>(() => {}));
  expect(await failure(ask(silent))).toBe("timeout");
  expect(await failure(ask("http://127.0.0.1:9/"))).toBe("unreachable");
  const stop = new AbortController();
  const asked = failure(ask(silent, {}, stop.signal));
  stop.abort();
  expect(await asked).toBe("aborted");
});

test("a metadata service is asked without the proxy that everything else goes through", async () => {
  const before = process.env["HTTP_PROXY"];
  process.env["HTTP_PROXY"] = serve(() => new Response("the proxy"));
  try {
    const url = serve(() => new Response("the service"));
    expect((await ask(url, { isLocal: true })).body.toString()).toBe("the service");
    expect((await ask(url)).body.toString()).toBe("the proxy");
  } finally {
    if (before === undefined) delete process.env["HTTP_PROXY"];
    else process.env["HTTP_PROXY"] = before;
  }
});
