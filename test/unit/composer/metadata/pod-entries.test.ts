import { expect, test } from "bun:test";
import { AttemptLog } from "../../../../src/composer/attempt.ts";
import { ByteBudget } from "../../../../src/composer/metadata/byte-budget.ts";
import { JsonEntries } from "../../../../src/composer/metadata/json-entries.ts";
import { collectPodEntries } from "../../../../src/composer/metadata/pod-entries.ts";
import type { Runtime } from "../../../../src/composer/metadata/runtime.ts";
import { Steps } from "../../../../src/composer/metadata/steps.ts";
import { textAt, type JsonObject } from "../../../../src/model/json.ts";

const POD: JsonObject = { id: "pod", metadata: { name: "web-0" } };

/** A pod of these containers, listed in this order; `known` can be asked for alone. */
function runtimeOf(listed: JsonObject[], known: JsonObject[] = []): Runtime {
  return {
    name: "test",
    podIdOf: () => Promise.resolve("pod"),
    pods: () => Promise.resolve([POD]),
    inspectPod: () => Promise.resolve({ status: POD }),
    containers: () => Promise.resolve(listed),
    listed: (id) => Promise.resolve(known.find((item) => textAt(item, "id") === id) ?? null),
    image: (container) => Promise.resolve({ id: `image of ${textAt(container, "id")}` }),
    container: () => Promise.resolve({ logPath: "", pid: null }),
    logs: (id) => Promise.resolve(`${id} says\n`),
    close: () => undefined,
  };
}

async function collect(runtime: Runtime, crashedId: string | null, budgetBytes = 2 ** 21) {
  const attempts = new AttemptLog();
  const steps = Steps.start(attempts, 10_000, new AbortController().signal);
  const budget = new ByteBudget(budgetBytes);
  const json = new JsonEntries(budget, steps);
  const wish = { runtime, pod: POD, crashedId, knownContainer: null, logLines: 5, proc: null };
  const pod = await collectPodEntries({ ...wish, steps, budget, json });
  steps.dispose();
  const texts = new Map(
    pod.entries.map(({ suffix, data }) => [suffix, new TextDecoder().decode(data)]),
  );
  const ps: { containers: JsonObject[] } = JSON.parse(texts.get("-ps-info.json") ?? "");
  return { ...pod, texts, ps, missing: attempts.missing };
}

const container = (id: string): JsonObject => ({ id, metadata: { name: `name-${id}` } });
const MANY = Array.from({ length: 100 }, (_, i) => container(String(i)));

test("a crasher that is listed beyond the numbered ones comes first, and the others are listed as missing", async () => {
  const { texts, ps, crashedIndex, missing } = await collect(runtimeOf(MANY), "99");
  expect(crashedIndex).toBe(0);
  expect(texts.get("-0.log")).toBe("99 says\n");
  expect(texts.get("-31.log")).toBe("30 says\n");
  expect(texts.has("-32.log")).toBe(false);
  expect(ps.containers.map(({ id }) => id).slice(0, 3)).toEqual(["99", "0", "1"]);
  expect(ps.containers).toHaveLength(100);
  const leftOut = missing.find(({ what }) => what === "containers 32 to 99");
  expect(leftOut?.why).toStartWith("only 32 of 100 are taken, not name-31, name-32, ");
});

test("a crasher that the list does not hold is asked for alone", async () => {
  const runtime = runtimeOf(MANY.slice(0, 3), [container("gone")]);
  const { texts, ps, crashedIndex } = await collect(runtime, "gone");
  expect(crashedIndex).toBe(0);
  expect(texts.get("-0.log")).toBe("gone says\n");
  expect(ps.containers.map(({ id }) => id)).toEqual(["gone", "0", "1", "2"]);
});

test("the runtime's order stays where the crasher is among the first", async () => {
  const { ps, crashedIndex } = await collect(runtimeOf(MANY.slice(0, 32)), "31");
  expect(crashedIndex).toBe(31);
  expect(ps.containers.map(({ id }) => id)).toEqual(
    Array.from({ length: 32 }, (_, i) => String(i)),
  );
});

test("a pod's own process is none of its containers", async () => {
  const { crashedIndex, ps } = await collect(
    runtimeOf(MANY.slice(0, 2), [container("pod")]),
    "pod",
  );
  expect(crashedIndex).toBeNull();
  expect(ps.containers).toHaveLength(2);
});

test("a list that is too long is cut to valid JSON, with the crasher in it, and recorded", async () => {
  const long = MANY.map((item) => ({ ...item, annotations: { long: "é".repeat(20_000) } }));
  const { ps, texts, missing } = await collect(runtimeOf(long), "99");
  expect(ps.containers.length).toBeGreaterThan(2);
  expect(ps.containers.length).toBeLessThan(6);
  expect(ps.containers[0]?.["id"]).toBe("99");
  expect(Buffer.byteLength(texts.get("-ps-info.json") ?? "")).toBeLessThanOrEqual(128 * 1024);
  expect(missing.map(({ what }) => what)).toContain("ps-info.json");
});

test("where nothing is left, every JSON entry is there and empty, and listed", async () => {
  const { texts, missing } = await collect(runtimeOf(MANY.slice(0, 1)), "0", 0);
  for (const name of ["pod-info", "runtime-info", "ps-info", "0-image-info"]) {
    expect(texts.get(`-${name}.json`)).toBe("{}\n");
    expect(missing.map(({ what }) => what)).toContain(`${name}.json`);
  }
  expect(texts.get("-0.log")).toBe("");
});
