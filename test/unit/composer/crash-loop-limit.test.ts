import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ComposerLog } from "../../../src/host/composer-log.ts";
import { limitCrashLoop } from "../../../src/composer/crash-loop-limit.ts";
import { NO_EVENT_FACTS, type Metadata } from "../../../src/composer/metadata/metadata.ts";
import type { CrashContext } from "../../../src/model/crash-context.ts";

const ASKER = join(import.meta.dir, "../../support/crash-loop-asker.ts");

const CRASH: CrashContext = {
  hostPid: 7,
  hostTid: 7,
  pid: 7,
  signal: 11,
  timestampSeconds: 1_700_000_000,
  limitSize: "0",
  uid: 0,
  gid: 0,
  dumpable: 1,
  pidfd: null,
  hostname: "web-1",
  exeName: "server",
  pathname: "!bin!server",
};
const METADATA: Metadata = {
  verdict: { kind: "collect" },
  facts: {
    identity: "cgroup",
    namespace: "shop",
    podname: "web-7d9c6b5f4-x2x4z",
    container_name: "server",
  },
  entries: [
    {
      suffix: "-pod-info.json",
      data: Buffer.from(JSON.stringify({ labels: { "pod-template-hash": "7d9c6b5f4" } })),
    },
  ],
  event: NO_EVENT_FACTS,
};

let hostDir: string;
beforeEach(() => {
  hostDir = mkdtempSync(join(tmpdir(), "loop-"));
});
afterEach(() => rmSync(hostDir, { recursive: true, force: true }));

const limit = async (
  metadata = METADATA,
  CRASH_LOOP_LIMIT = 2,
  CRASH_LOOP_NAMESPACE_LIMIT = 0,
  crash = CRASH,
) =>
  limitCrashLoop(metadata, {
    crash,
    settings: { CRASH_LOOP_LIMIT, CRASH_LOOP_NAMESPACE_LIMIT, CRASH_LOOP_WINDOW: 3600 },
    hostDir,
    log: new ComposerLog(hostDir, "u", "info"),
  });
const logged = () =>
  readFileSync(join(hostDir, "composer.log"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line));

test("beyond the limit a dump is skipped, and the log says whose and how many", async () => {
  expect((await limit()).verdict.kind).toBe("collect");
  expect((await limit()).verdict.kind).toBe("collect");
  expect((await limit()).verdict).toEqual({
    kind: "skip",
    reason: "crash loop: 2 dumps of the workload in 3600 s, 1 left out",
  });
  await limit();
  expect(logged()).toMatchObject([
    {
      event: "dump_suppressed",
      workload: "shop/web/server/!bin!server/11",
      by: "workload",
      suppressed: 1,
      limit: 2,
    },
    { event: "dump_suppressed", namespace: "shop", podname: "web-7d9c6b5f4-x2x4z", suppressed: 2 },
  ]);
});

test("off by one setting", async () => {
  for (let count = 0; count < 30; count++)
    expect((await limit(METADATA, 0, 3)).verdict.kind).toBe("collect");
});

test("copies of a program under other names are one namespace's", async () => {
  const copy = (name: string) => limit(METADATA, 2, 5, { ...CRASH, pathname: `!tmp!${name}` });
  const kinds: string[] = [];
  for (let index = 0; index < 7; index++) kinds.push((await copy(`copy${index}`)).verdict.kind);
  expect(kinds).toEqual([...Array<string>(5).fill("collect"), "skip", "skip"]);
  expect(logged().at(-1)).toMatchObject({ by: "namespace", suppressed: 2, limit: 5 });
  const other = { ...METADATA, facts: { ...METADATA.facts, namespace: "bank" } };
  expect((await limit(other, 2, 5)).verdict.kind).toBe("collect");
});

test("a namespace that was guessed from the host name is nobody's", async () => {
  const guessed: Metadata = {
    ...METADATA,
    facts: { identity: "unknown", namespace: null, guessed_namespace: "shop" },
  };
  for (let count = 0; count < 5; count++) await limit(guessed, 2, 3);
  expect((await limit(METADATA, 2, 3)).verdict.kind).toBe("collect");
});

test("a thousand workloads at their limit leave the limit on, and its file small", async () => {
  const state = join(hostDir, "crash-loop.json");
  const longName = "\u0001".repeat(4000);
  for (let index = 0; index < 700; index++)
    await limit(METADATA, 250, 0, { ...CRASH, pathname: `${longName}${index}` });
  expect(statSync(state).size).toBeLessThan(400_000);
  writeFileSync(state, "x".repeat(2 << 20)); // an earlier version's, too long to be read
  const kinds = [];
  for (let count = 0; count < 3; count++) kinds.push((await limit()).verdict.kind);
  expect(kinds).toEqual(["collect", "collect", "skip"]);
});

test("a dump that the owner's rules left out is not counted", async () => {
  const skipped: Metadata = { ...METADATA, verdict: { kind: "skip", reason: "selector" } };
  for (let count = 0; count < 5; count++) expect(await limit(skipped)).toBe(skipped);
  expect((await limit()).verdict.kind).toBe("collect");
});

test("a state that cannot be read or a folder that cannot be written costs no core", async () => {
  writeFileSync(join(hostDir, "crash-loop.json"), "{broken");
  expect((await limit()).verdict.kind).toBe("collect");
  const log = new ComposerLog(hostDir, "u", "info");
  const settings = { CRASH_LOOP_LIMIT: 1, CRASH_LOOP_NAMESPACE_LIMIT: 0, CRASH_LOOP_WINDOW: 60 };
  const nowhere = { crash: CRASH, settings, hostDir: join(hostDir, "none"), log };
  expect((await limitCrashLoop(METADATA, nowhere)).verdict.kind).toBe("collect");
  expect(logged()).toMatchObject([{ event: "crash_loop_unknown" }]);
});

test("of 16 composers that ask at once exactly as many collect as may", async () => {
  const askers = Array.from({ length: 16 }, () =>
    Bun.spawn([process.execPath, ASKER, hostDir, "w", "5"], {
      stdio: ["ignore", "pipe", "inherit"],
    }),
  );
  const answers = await Promise.all(askers.map(({ stdout }) => new Response(stdout).text()));
  expect(answers.filter((answer) => answer === "collect\n")).toHaveLength(5);
  expect(answers.filter((answer) => answer === "suppress\n")).toHaveLength(11);
}, 60_000);
