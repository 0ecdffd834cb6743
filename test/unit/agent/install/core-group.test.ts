// CORE_GROUP: who beside root may read and remove finished dumps and events.
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { install } from "../../../../src/agent/install/install.ts";
import { writeEvent } from "../../../../src/composer/event.ts";
import { PartialFile } from "../../../../src/composer/partial-file.ts";
import { shareWithGroup } from "../../../../src/host/shared-folder.ts";
import { gatedTest } from "../../../support/gate.ts";
import { failureOf } from "../../../support/failure.ts";
import { makeHostTree, type HostTree } from "../../../support/host-tree.ts";

const GROUP = 4711;
const OBSTACLES = [process.getuid?.() === 0 ? undefined : "needs root"];
let host: HostTree;
beforeEach(() => {
  host = makeHostTree();
});
afterEach(() => host.remove());

const run = (environment: Record<string, string>) =>
  install({
    settings: host.settings({ COMP_CORE_EVENTS: "true", ...environment }),
    executable: host.executable,
    log: host.log,
  });
const modeOf = (path: string) => {
  const { mode, gid } = statSync(path);
  return { mode: (mode & 0o7777).toString(8), gid };
};
const inHost = (name: string) => join(host.hostDir, name);

/** A dump and an event as the composer publishes them. */
async function publish(): Promise<{ partial: string; zip: string; event: string }> {
  const uuid = crypto.randomUUID();
  const file = await PartialFile.create(inHost("cores"), uuid);
  await file.append([new Uint8Array(3)]);
  const partial = modeOf(join(inHost("cores"), `.cdh-${uuid}.partial`)).mode;
  const zip = join(inHost("cores"), await file.publish(uuid));
  const facts = { imageList: [], labels: {} };
  const why = { title: null, crash_function: null, bug: null, exact: null };
  const crash = { pathname: "", limitSize: "", exeName: "", pid: 1, signal: 11, hostname: "" };
  const dump = { uuid, zipName: "T.zip", namespace: null, facts, why, crash: crash as never };
  await writeEvent(inHost("events"), dump);
  return { partial, zip, event: join(inHost("events"), `${uuid}-event.json`) };
}

test("by default dumps and events are root's alone", async () => {
  await run({});
  const { zip, event } = await publish();
  expect(modeOf(inHost("cores")).mode).toBe("700");
  expect(modeOf(zip).mode).toBe("600");
  expect(modeOf(event).mode).toBe("600");
});

gatedTest(
  "a group reads and removes what is finished, and does not see what is under way",
  OBSTACLES,
  async () => {
    await run({ CORE_GROUP: String(GROUP) });
    for (const folder of ["cores", "events"])
      expect(modeOf(inHost(folder))).toEqual({ mode: "2770", gid: GROUP });
    expect(modeOf(host.hostDir).mode).toBe("755");
    const { partial, zip, event } = await publish();
    expect(partial).toBe("600");
    for (const path of [zip, event]) expect(modeOf(path)).toEqual({ mode: "640", gid: GROUP });
  },
);

gatedTest("taken out of the settings, the group has no access any more", OBSTACLES, async () => {
  await run({ CORE_GROUP: String(GROUP) });
  await run({});
  expect(modeOf(inHost("cores")).mode).toBe("2700");
  expect(modeOf((await publish()).zip).mode).toBe("600");
});

test("a folder that has other rights by itself is not taken for a shared one", async () => {
  await run({});
  chmodSync(inHost("cores"), 0o770);
  expect(modeOf((await publish()).zip).mode).toBe("600");
});

test("a link in the folder's place is not followed", async () => {
  mkdirSync(host.hostDir, { recursive: true });
  writeFileSync(join(host.root, "shadow"), "");
  symlinkSync(join(host.root, "shadow"), inHost("cores"));
  expect(await failureOf(shareWithGroup(inHost("cores"), GROUP))).toContain("cannot share");
});

test.each(["root", "0", "-1"])("CORE_GROUP cannot be %p", (given) => {
  expect(() => host.settings({ CORE_GROUP: given })).toThrow("CORE_GROUP");
});
