import { expect, test } from "bun:test";
import { readPodPolicy } from "../../../src/config/pod-policy.ts";

const P = "core-dump-handler/";
const OPEN = { CORE_CONTENT: "full", MAX_CORE_SIZE: 0 } as const;
const NOTHING = {
  content: "full" as const,
  maxCoreBytes: 0,
  collect: true,
  priority: "normal" as const,
  complaints: [],
};

test("a pod without annotations of ours asks for nothing", () => {
  const others = {
    "kubernetes.io/config.source": "api",
    "core-content": "stacks",
    [`${P}other`]: "x",
  };
  expect(readPodPolicy({}, OPEN)).toEqual(NOTHING);
  expect(readPodPolicy(others, OPEN)).toEqual(NOTHING);
});

test("each annotation is followed", () => {
  const asked = {
    [`${P}core-content`]: "Stacks",
    [`${P}max-core-size`]: "10Mi",
    [`${P}collect`]: "false",
    [`${P}priority`]: "high",
  };
  expect(readPodPolicy(asked, OPEN)).toEqual({
    content: "stacks",
    maxCoreBytes: 10 << 20,
    collect: false,
    priority: "high",
    complaints: [],
  });
});

test("nothing goes beyond the cluster's settings", () => {
  const ask = (name: string, value: string, limits: Parameters<typeof readPodPolicy>[1]) =>
    readPodPolicy({ [P + name]: value }, limits);
  const small = { CORE_CONTENT: "auto", MAX_CORE_SIZE: 1000 } as const;
  expect(ask("core-content", "full", small)).toMatchObject({ content: "auto" });
  expect(ask("core-content", "full", small).complaints).toHaveLength(1);
  expect(ask("core-content", "stacks", small)).toMatchObject({ content: "stacks", complaints: [] });
  expect(ask("core-content", "auto", { ...small, CORE_CONTENT: "stacks" }).content).toBe("stacks");
  expect(ask("max-core-size", "1001", small)).toMatchObject({ maxCoreBytes: 1000 });
  expect(ask("max-core-size", "999", small)).toMatchObject({ maxCoreBytes: 999, complaints: [] });
});

const BAD: [string, string][] = [
  ["core-content", "everything"],
  ["core-content", "stacks\nfull"],
  ["core-content", "x".repeat(1 << 20)],
  ["max-core-size", "-1"],
  ["max-core-size", "0"],
  ["max-core-size", "1e3"],
  ["max-core-size", "NaN"],
  ["max-core-size", "9".repeat(1 << 20)],
  ["max-core-size", "1\u00002"],
  ["collect", "no"],
  ["collect", "__proto__"],
  ["priority", "1"],
  ["priority", "high\u001b[2J"],
];
for (const [name, value] of BAD)
  test(`${name}: ${JSON.stringify(value.slice(0, 20))} changes nothing, and is told in one line`, () => {
    const { complaints, ...policy } = readPodPolicy({ [P + name]: value }, OPEN);
    expect({ ...policy, complaints: [] }).toEqual(NOTHING);
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toStartWith(`annotation ${P}${name} is "`);
    expect(complaints[0]?.length).toBeLessThan(400);
    expect(complaints[0]).not.toMatch(/[\u0000-\u001f]/);
  });
