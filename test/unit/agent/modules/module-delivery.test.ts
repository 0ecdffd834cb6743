// Modules of several nodes in one store: each once, never over another file, and found again when the store failed.
import { afterEach, expect, test } from "bun:test";
import { join } from "node:path";
import { openAgentMetrics } from "../../../../src/agent/metrics/agent-metrics.ts";
import { openModuleDelivery } from "../../../../src/agent/modules/module-delivery.ts";
import { openUploads } from "../../../../src/agent/sweep/uploads.ts";
import { readAgentSettings } from "../../../../src/config/agent-settings.ts";
import { createModule, listKeptModules } from "../../../../src/host/kept-modules.ts";
import { temporaryFolder } from "../../../support/dumps.ts";
import {
  md5,
  startMemoryStore,
  type MemoryStore,
  type Oddities,
} from "../../../support/memory-store.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { s3Error } from "../../../support/scripted-store.ts";

const MAIN = join(import.meta.dir, "../../../../src/main.ts");
const ID = "ab".repeat(20);
const never = new AbortController().signal;
const OWNER = { namespace: "shop", workload: "w" };
let running: MemoryStore | undefined;

afterEach(() => running?.stop());

function start(odd: Oddities = {}) {
  running = startMemoryStore(odd);
  const store = running;
  const node = () => {
    const coreDir = temporaryFolder();
    const settings = readAgentSettings({
      CORE_DIR: coreDir,
      S3_ENDPOINT: store.endpoint,
      S3_BUCKET_NAME: "cores",
      S3_ACCESS_KEY: "AK",
      S3_SECRET: "SK",
      S3_PART_SIZE: String(5 * 2 ** 20),
      S3_MODULE_PREFIX: "debug",
    });
    const log = recordedLog();
    const delivery = openModuleDelivery({ settings, log, signal: never });
    return {
      coreDir,
      log,
      sweep: () => delivery.sweep(() => Promise.resolve()),
      async keep(content: Uint8Array, id = ID, namespace = "shop") {
        const sha256 = new Bun.CryptoHasher("sha256").update(content).digest("hex");
        const file = await createModule(coreDir, { ...OWNER, namespace });
        await file.write(content, 0);
        await file.publish({ id, sha256 });
        await file.end();
        return sha256;
      },
      waiting: () => listKeptModules(coreDir).filter(({ isStored }) => !isStored).length,
    };
  };
  const keys = () => [...store.objects.keys()].map((path) => path.slice("/cores/".length)).sort();
  const bytesAt = (key: string) => Buffer.from(store.objects.get(`/cores/${key}`)?.bytes ?? []);
  return { store, node, keys, bytesAt };
}

const content = (text: string, sizeBytes = 1000) => Buffer.alloc(sizeBytes, text);

test("a module is stored once in a fleet, and not asked for again by a node that knows", async () => {
  const { store, node, keys } = start();
  const requests: number[] = [];
  for (const each of [node(), node(), node()]) {
    const before = store.asked.length;
    for (let crash = 0; crash < 5; crash++) {
      if (listKeptModules(each.coreDir).length === 0) await each.keep(content("libc"));
      expect((await each.sweep()).failed).toBe(0);
    }
    requests.push(store.asked.length - before);
    expect(each.waiting()).toBe(0);
  }
  expect(keys()).toEqual([`debug/buildid/${ID}/executable`]);
  expect(store.asked.filter(({ method }) => method === "PUT")).toHaveLength(1);
  // The first looks, writes and looks; the others look.
  expect(requests).toEqual([3, 1, 1]);
});

test("a file with another's build-id neither replaces it nor keeps it out", async () => {
  const { node, keys, bytesAt } = start();
  const [mallory, victim, again] = [node(), node(), node()];
  await mallory.keep(content("a lie"), ID, "mallory");
  await mallory.sweep();
  const real = content("libssl");
  const sha256 = await victim.keep(real);
  await victim.sweep();
  const usual = `debug/buildid/${ID}/executable`;
  expect(keys()).toEqual([usual, `${usual}.${sha256}`]);
  expect(bytesAt(usual).equals(content("a lie"))).toBe(true);
  expect(bytesAt(`${usual}.${sha256}`).equals(real)).toBe(true);
  const conflicts = victim.log.events.filter(({ event }) => event === "module_conflict");
  expect(conflicts.map(({ fields }) => fields["namespace"])).toEqual(["shop"]);
  await again.keep(real);
  await again.sweep();
  expect([keys().length, again.waiting()]).toEqual([2, 0]);
});

test("where ETags prove nothing, the bytes are compared and not stored twice", async () => {
  const { node, keys } = start({
    etag: (bytes) => md5(Buffer.concat([bytes, Buffer.from("salt")])),
    headers: { "x-amz-server-side-encryption": "aws:kms" },
  });
  for (const each of [node(), node()]) {
    await each.keep(content("libc", 6_000_000));
    await each.sweep();
    expect(each.waiting()).toBe(0);
  }
  expect(keys()).toEqual([`debug/buildid/${ID}/executable`]);
});

test("a store that fails in the middle costs one line, and the next sweep goes on", async () => {
  let fails = true;
  const { node, keys, store } = start({
    refuse: ({ method, target }) =>
      fails && method === "PUT" && target.includes("partNumber=2")
        ? s3Error(403, "AccessDenied")
        : undefined,
  });
  const one = node();
  await one.keep(content("large", 12_000_000));
  const report = await one.sweep();
  expect(report.failed).toBe(1);
  expect(report.nextRetryMs).toBeGreaterThan(Date.now());
  expect(one.log.names().filter((name) => name === "module_failed")).toHaveLength(1);
  expect([keys(), store.unfinished(), one.waiting()]).toEqual([[], [], 1]);
  fails = false;
  const next = node();
  await next.keep(content("large", 12_000_000));
  await next.sweep();
  expect(keys()).toHaveLength(1);
});

test("one module that cannot be stored does not stop the others", async () => {
  const { node, keys } = start({
    refuse: ({ method, target }) =>
      method === "PUT" && target.includes(ID) ? s3Error(400, "InvalidRequest") : undefined,
  });
  const one = node();
  await one.keep(content("refused"));
  await one.keep(content("fine"), "cd".repeat(20));
  const report = await one.sweep();
  expect([report.delivered, report.failed, one.waiting()]).toEqual([1, 1, 1]);
  expect(keys()).toEqual([`debug/buildid/${"cd".repeat(20)}/executable`]);
});

test("dumps go first: the sweep waits before each module", async () => {
  const { node, store } = start();
  const one = node();
  await one.keep(content("libc"));
  const dumps = Promise.withResolvers<void>();
  const settings = readAgentSettings({
    CORE_DIR: one.coreDir,
    S3_ENDPOINT: store.endpoint,
    S3_BUCKET_NAME: "cores",
    S3_ACCESS_KEY: "AK",
    S3_SECRET: "SK",
  });
  const delivery = openModuleDelivery({ settings, log: recordedLog(), signal: never });
  const sweep = delivery.sweep(() => dumps.promise);
  await Bun.sleep(0);
  expect(store.asked).toHaveLength(0);
  dumps.resolve();
  expect((await sweep).delivered).toBe(1);
  delivery.close();
});

test("the agent's uploads take modules along, and so does `sweep`", async () => {
  const { node, keys, store } = start();
  const [agent, command] = [node(), node()];
  await agent.keep(content("libc"));
  const variables = (coreDir: string) => ({
    CORE_DIR: coreDir,
    S3_ENDPOINT: store.endpoint,
    S3_BUCKET_NAME: "cores",
    S3_ACCESS_KEY: "AK",
    S3_SECRET: "SK",
  });
  const uploads = await openUploads({
    settings: readAgentSettings(variables(agent.coreDir)),
    kubernetes: undefined,
    metrics: openAgentMetrics(),
    log: recordedLog(),
    signal: never,
  });
  uploads.request("start");
  await uploads.close();
  expect(keys()).toEqual([`buildid/${ID}/executable`]);
  await command.keep(content("libm"), "cd".repeat(20));
  const child = Bun.spawn([process.execPath, MAIN, "sweep"], {
    env: { PATH: process.env["PATH"], ...variables(command.coreDir) },
    stdio: ["ignore", "ignore", "ignore"],
  });
  expect(await child.exited).toBe(0);
  expect(keys()).toHaveLength(2);
  expect([agent.waiting(), command.waiting()]).toEqual([0, 0]);
});

test("an agent that may write and not look stores a module beside, and does not send it over and over", async () => {
  const { node, keys, store } = start({
    refuse: ({ method }) => (method === "PUT" ? undefined : s3Error(403, "AccessDenied")),
  });
  for (const each of [node(), node(), node()]) {
    const sha256 = await each.keep(content("libc"));
    const { failed } = await each.sweep();
    await each.sweep();
    expect([failed, each.waiting(), each.log.names().includes("module_conflict")]).toEqual([
      0,
      0,
      false,
    ]);
    const usual = `debug/buildid/${ID}/executable`;
    expect([usual, `${usual}.${sha256}`]).toEqual(expect.arrayContaining(keys()));
  }
  expect(store.asked.filter(({ method }) => method === "PUT")).toHaveLength(5);
});
