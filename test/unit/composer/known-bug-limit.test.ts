import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AttemptLog } from "../../../src/composer/attempt.ts";
import { KnownBugLimit } from "../../../src/composer/known-bug-limit.ts";
import { NO_EVENT_FACTS, type Metadata } from "../../../src/composer/metadata/metadata.ts";
import { ComposerLog } from "../../../src/host/composer-log.ts";
import type { DumpInfo } from "../../../src/model/dump-info.ts";
import { KNOWN_BUGS_STATE } from "../../../src/model/host-file.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const BUG = "0123456789abcdef";
const WHOLE = { core_complete: true, truncated_by: null } as const;

const of = (facts: Partial<DumpInfo>): Metadata => ({
  verdict: { kind: "collect" },
  facts,
  entries: [],
  event: NO_EVENT_FACTS,
});
const pod = (namespace: string) => of({ identity: "cgroup", namespace, podname: "web-0" });
const SHOP = pod("shop");

/** One composer's limit of one whole dump; `lines` are the events in composer.log. */
function composer(hostDir: string, uid = 0) {
  const uuid = crypto.randomUUID();
  const attempts = new AttemptLog();
  const limit = new KnownBugLimit({
    uuid,
    crash: { uid },
    settings: { KEEP_PER_BUG: 1, CRASH_LOOP_WINDOW: 3600, TIMEOUT: 600 },
    hostDir,
    log: new ComposerLog(hostDir, uuid, "info"),
    attempts,
  });
  const lines = () =>
    readFileSync(join(hostDir, "composer.log"), "utf8")
      .trim()
      .split("\n")
      .map((line): Record<string, unknown> => JSON.parse(line));
  return { limit, attempts, lines };
}

async function leaveWhole(hostDir: string, found = SHOP): Promise<boolean> {
  const { limit } = composer(hostDir);
  const isKnown = await limit.isKnown(BUG, found);
  await limit.settle(WHOLE);
  return isKnown;
}

test("a second core of a bug is left out, and the dump and the log say why", () =>
  withFolder(async (hostDir) => {
    expect(await leaveWhole(hostDir)).toBe(false);
    const { limit, attempts, lines } = composer(hostDir);
    expect(await limit.isKnown(BUG, SHOP)).toBe(true);
    const why = `1 whole dumps of bug ${BUG} in 3600 s; this is core 1 left out since`;
    expect(attempts.missing).toEqual([{ what: "core", why }]);
    expect(lines()).toEqual([
      expect.objectContaining({
        event: "core_left_out",
        namespace: "shop",
        podname: "web-0",
        bug: BUG,
        dumps: 1,
        left_out: 1,
        window_s: 3600,
      }),
    ]);
  }));

test("a dump is judged once, as early as its bug is told", () =>
  withFolder(async (hostDir) => {
    await leaveWhole(hostDir);
    const { limit, lines } = composer(hostDir);
    const known = Promise.withResolvers<void>();
    void limit.watch(Promise.resolve(BUG), Promise.resolve(SHOP), known.resolve);
    await known.promise;
    // The summary never came.
    expect(await limit.isKnown(null, SHOP)).toBe(true);
    expect(lines()).toHaveLength(1);
  }));

test("nothing is left out of a dump whose bug is not known, and nothing of it is counted", () =>
  withFolder(async (hostDir) => {
    await leaveWhole(hostDir);
    const { limit } = composer(hostDir);
    await limit.watch(Promise.resolve(undefined), Promise.resolve(SHOP), () => undefined);
    expect(await limit.isKnown(null, SHOP)).toBe(false);
    await limit.settle(WHOLE);
  }));

test("of twenty composers at once one keeps its core", () =>
  withFolder(async (hostDir) => {
    const all = Array.from({ length: 20 }, () => composer(hostDir).limit.isKnown(BUG, SHOP));
    expect((await Promise.all(all)).filter((isKnown) => !isKnown)).toHaveLength(1);
  }));

test("a dump that was cut short does not count; one at the owner's own limit does", () =>
  withFolder(async (hostDir) => {
    const cut = composer(hostDir);
    await cut.limit.isKnown(BUG, SHOP);
    await cut.limit.settle({ core_complete: false, truncated_by: "timeout" });
    const limited = composer(hostDir);
    expect(await limited.limit.isKnown(BUG, SHOP)).toBe(false);
    await limited.limit.settle({ core_complete: false, truncated_by: "size_limit" });
    expect(await leaveWhole(hostDir)).toBe(true);
  }));

test("whoever forges another's bug has its own cores left out", () =>
  withFolder(async (hostDir) => {
    await leaveWhole(hostDir, pod("hostile"));
    expect(await leaveWhole(hostDir, pod("hostile"))).toBe(true);
    expect(await leaveWhole(hostDir, SHOP)).toBe(false);
    // Without the runtime's word each pod is a tenant of its own, and users are, outside of containers.
    const nameless = (pod_uid: string) => of({ identity: "unknown", pod_uid });
    expect(await leaveWhole(hostDir, nameless("a"))).toBe(false);
    expect(await leaveWhole(hostDir, nameless("b"))).toBe(false);
    const host = of({ identity: "host_process" });
    expect(await composer(hostDir, 1000).limit.isKnown(BUG, host)).toBe(false);
    expect(await composer(hostDir, 0).limit.isKnown(BUG, host)).toBe(false);
    // Of whom nothing is known may be anybody.
    for (let n = 0; n < 3; n++) expect(await leaveWhole(hostDir, of({}))).toBe(false);
  }));

test.each([
  ["torn", "{"],
  ["another version's", `{"shop":{"${BUG}":7}}`],
  ["a list", "[]"],
])("a state that is %s counts from nothing", (_, text) =>
  withFolder(async (hostDir) => {
    writeFileSync(join(hostDir, KNOWN_BUGS_STATE), text);
    expect(await leaveWhole(hostDir)).toBe(false);
    expect(await leaveWhole(hostDir)).toBe(true);
  }),
);

test("where nothing can be counted the core is kept, and the log says so", () =>
  withFolder(async (hostDir) => {
    mkdirSync(join(hostDir, "known-bugs.lock"));
    const { limit, lines } = composer(hostDir);
    expect(await limit.isKnown(BUG, SHOP)).toBe(false);
    await limit.settle(WHOLE);
    expect(lines().map(({ event }) => event)).toContain("known_bugs_unknown");
  }));
